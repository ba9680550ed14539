@0xfda2eb95f4823e24;
# Membership: datagrams, stream exchanges, and the founding of a cluster.

using Cxx = import "/capnp/c++.capnp";
using Common = import "common.capnp";
$Cxx.namespace("brigade::schema");

enum MemberState {
  alive @0;
  suspect @1;
  dead @2;
  left @3;
}

struct Member {
  id @0 :UInt64;
  incarnation @1 :UInt64;
  state @2 :MemberState;
  name @3 :Text;
  address @4 :Text;
  meta @5 :Data;
}

# Flat, so that a datagram's size is easily bounded: which fields are set depends on the state, which
# says whose news it is.
struct Update {
  state @0 :MemberState;
  id @1 :UInt64;
  incarnation @2 :UInt64;
  accuser @3 :UInt64;
  name @4 :Text;
  address @5 :Text;
  meta @6 :Data;
}

struct Digest {
  id @0 :UInt64;
  incarnation @1 :UInt64;
  version @2 :UInt64;
  content @3 :Data;
}

struct Datagram {
  clusterHigh @0 :UInt64;
  clusterLow @1 :UInt64;
  from @2 :UInt64;
  incarnation @3 :UInt64;
  kind @4 :Kind;
  seq @5 :UInt64;      # of a ping, an ack, a request or a nack
  target @6 :UInt64;   # of a ping or a request
  address @7 :Text;    # of a request's target
  updates @8 :List(Update);
  digests @9 :List(Digest);

  enum Kind {
    gossip @0;
    ping @1;
    ack @2;
    pingRequest @3;
    nack @4;
  }
}

struct StreamMessage {
  clusterHigh @0 :UInt64;
  clusterLow @1 :UInt64;
  clusterName @2 :Text;
  from @3 :UInt64;
  union {
    ping :group {
      target @4 :UInt64;
    }
    ack @5 :Void;
    syncRequest @6 :Sync;
    syncReply @7 :Sync;
    refusal @8 :Refusal;
  }

  struct Sync {
    view @0 :UInt64;
    members @1 :List(Member);
  }

  enum Refusal {
    otherCluster @0;
    otherClusterName @1;
    nameTaken @2;
    notReady @3;
    malformed @4;
  }
}

# ---- founding ----

struct Ballot {
  round @0 :UInt64;
  proposer @1 :UInt64;
}

struct Founder {
  id @0 :UInt64;
  name @1 :Text;
  address @2 :Text;
}

struct Charter {
  clusterHigh @0 :UInt64;
  clusterLow @1 :UInt64;
  clusterName @2 :Text;
  founders @3 :List(Founder);
  settings @4 :Data;
}

struct Vote {
  ballot @0 :Ballot;
  charter @1 :Charter;
}

struct FoundingMessage {
  from @0 :Founder;
  clusterName @1 :Text;
  union {
    whoAreYou @2 :Void;
    iAm @3 :IAm;
    prepare @4 :Ballot;
    promise @5 :Promise;
    accept @6 :Vote;
    accepted @7 :Ballot;
    outbid @8 :Ballot;
    refusal @9 :Obstacle;
  }

  struct IAm {
    stage @0 :Stage;
    clusterHigh @1 :UInt64;
    clusterLow @2 :UInt64;
    charter @3 :Charter;  # null: none
  }
  enum Stage {
    joining @0;
    founder @1;
    initialised @2;
  }
  struct Promise {
    ballot @0 :Ballot;
    accepted @1 :Vote;  # null: none
  }
  enum Obstacle {
    otherClusterName @0;
    nameTaken @1;
    tooFewFounders @2;
    differentClusters @3;
    votedElsewhere @4;
  }
}
