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
  load @0 :Load;
  draining @1 :Bool;
  leads @2 :List(Lead);
  configs @3 :List(UInt64);
  free @4 :List(Free);
  leaving @5 :Bool;

  struct Load {
    cpuPermille @0 :UInt32;
    memoryBytes @1 :UInt64;
    memoryLimitBytes @2 :UInt64;
    netInBps @3 :UInt64;
    netOutBps @4 :UInt64;
    requestUsP99 @5 :UInt64;
    redisUsP99 @6 :UInt64;
    httpUsP99 @7 :UInt64;
    queueUs @8 :UInt64;
    offeredPerS @9 :UInt64;
    pressed @10 :Bool;
  }

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
