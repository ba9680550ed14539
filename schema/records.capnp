@0x8fedadaf6030e72a;
# Records of a shard's token store: kept on disk, shipped in snapshots.

using Cxx = import "/capnp/c++.capnp";
using Common = import "common.capnp";
using Commands = import "commands.capnp";
$Cxx.namespace("brigade::schema");

struct StateRecord {
  union {
    meta @0 :MetaRecord;
    config @1 :ConfigRecord;
    tombstone @2 :TombstoneRecord;
    session @3 :SessionRecord;
    ledger @4 :LedgerRecord;
    strict @5 :StrictRecord;
    strictId @6 :StrictIdRecord;
    override @7 :Commands.Override;
    node @8 :NodeRecord;
    reservation @9 :Commands.Reservation;
    aheadLimit @10 :AheadLimitRecord;
    aheadKey @11 :AheadKeyRecord;
  }
}

struct AheadLimitRecord {
  limit @0 :Text;
  rate @1 :Int64;
  size @2 :Int64;
  freshLevel @3 :Int64;
  freshRefilled @4 :Int64;
  implicit @5 :Bool;
}

struct AheadKeyRecord {
  id @0 :Common.LedgerId;
  level @1 :Int64;
  refilled @2 :Int64;
}

struct NodeRecord {
  node @0 :UInt64;
  generation @1 :UInt16;
  removed @2 :Bool;
}

struct MetaRecord {
  stamp @0 :Int64;
  configVersion @1 :UInt64;
  swept @2 :Common.LedgerId;
}

struct ConfigRecord {
  spec @0 :Common.LimitSpec;
  version @1 :UInt64;
  created @2 :UInt64;
}

struct TombstoneRecord {
  limit @0 :Text;
  version @1 :UInt64;
  deleted @2 :Int64;
  refill @3 :Int64;
}

struct SessionRecord {
  account @0 :UInt64;
  node @1 :UInt64;
  bootHigh @2 :UInt64;
  bootLow @3 :UInt64;
  attempt @4 :UInt64;
  start @5 :UInt64;
  lapsed @6 :Bool;
}

struct LedgerRecord {
  id @0 :Common.LedgerId;
  rate @1 :Int64;
  burst @2 :Int64;
  poolRate @3 :Int64;
  poolSize @4 :Int64;
  poolLevel @5 :Int64;
  poolRefilled @6 :Int64;
  shares @7 :List(Share);  # ascending accounts

  struct Share {
    account @0 :UInt64;
    rate @1 :Int64;
    size @2 :Int64;
    granted @3 :Int64;
    epoch @4 :UInt64;
    shrinking @5 :Bool;
    shrinkingRate @6 :Int64;
    shrinkingSize @7 :Int64;
    keep @8 :Bool;
    shrinkingKeep @9 :Bool;
  }
}

struct StrictRecord {
  id @0 :Common.LedgerId;
  level @1 :Int64;
  refilled @2 :Int64;
}

struct StrictIdRecord {
  idHigh @0 :UInt64;
  idLow @1 :UInt64;
  applied @2 :Int64;
  remaining @3 :Int64;
}
