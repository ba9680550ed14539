@0xe3977f0aecff6e52;
# What a node publishes of itself through gossip.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("brigade::schema");

struct MemberMeta {
  redis @0 :Text;
  http @1 :Text;
  envoy @2 :Text;
  region @3 :Text;
  zone @4 :Text;
  version @5 :Text;
}

struct NodeDigest {
  cpuPermille @0 :UInt32;
  memoryBytes @1 :UInt64;
  netInBps @2 :UInt64;
  netOutBps @3 :UInt64;
  requestUsP99 @4 :UInt64;
  offeredPerS @5 :UInt64;
  draining @6 :Bool;
  leads @7 :List(Lead);
  configs @8 :List(UInt64);
  free @9 :List(Free);
  leaving @10 :Bool;

  struct Lead {
    shard @0 :UInt32;
    term @1 :UInt64;
  }
  struct Free {
    limit @0 :UInt64;
    tokens @1 :Int64;
    starving @2 :Bool;
  }
}
