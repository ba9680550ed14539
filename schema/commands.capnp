@0xa24c2b630cb231ba;
# Commands of the token store: the payload of Raft entries, kept on disk for as long as a log is.

using Cxx = import "/capnp/c++.capnp";
using Common = import "common.capnp";
$Cxx.namespace("brigade::schema");

struct Command {
  union {
    openSession @0 :OpenSession;
    returnSession @1 :ReturnSession;
    reclaimSession @2 :ReclaimSession;
    changeShares @3 :ChangeShares;
    configure @4 :Configure;
    strictBatch @5 :StrictBatch;
    setOverride @6 :Override;
    clearOverride @7 :ClearOverride;
    handover @8 :Handover;
    cancelHandover @9 :Void;
    removeNode @10 :RemoveNode;
    openLedger @11 :OpenLedger;
    closeLedger @12 :CloseLedger;
    spendAhead @13 :SpendAhead;
  }
}

struct OpenSession {
  node @0 :UInt64;
  bootHigh @1 :UInt64;
  bootLow @2 :UInt64;
  attempt @3 :UInt64;
  start @4 :UInt64;
}

struct ReturnSession {
  account @0 :UInt64;
  bootHigh @1 :UInt64;
  bootLow @2 :UInt64;
  surrendered @3 :List(Surrender);
  stamp @4 :Int64;

  struct Surrender {
    ledger @0 :Common.LedgerId;
    tokens @1 :Int64;
  }
}

struct ReclaimSession {
  account @0 :UInt64;
  stamp @1 :Int64;
}

struct ChangeShares {
  stamp @0 :Int64;
  changes @1 :List(Change);

  struct Change {
    ledger @0 :Common.LedgerId;
    account @1 :UInt64;
    union {
      shrink :group {
        rate @2 :Int64;
        size @3 :Int64;
        keep @9 :Bool;
      }
      acknowledge :group {
        epoch @4 :UInt64;
        surplus @5 :Int64;
      }
      grow :group {
        moreRate @6 :Int64;
        moreSize @7 :Int64;
        tokens @8 :Int64;
        keepMore @10 :Bool;
      }
    }
  }
}

struct Configure {
  stamp @0 :Int64;
  limits @1 :List(Common.LimitSpec);
  dropped @2 :List(Text);
  prune @3 :Bool;
}

struct StrictBatch {
  stamp @0 :Int64;
  takes @1 :List(Take);
  settles @2 :List(Settle);

  struct Take {
    ledger @0 :Common.LedgerId;
    idHigh @1 :UInt64;
    idLow @2 :UInt64;
    issued @3 :Int64;
    cost @4 :Int64;
    floor @5 :Int64;
    peek @6 :Bool;
    reserve @7 :Bool;
    holder @8 :UInt64;
  }
  struct Settle {
    ledger @0 :Common.LedgerId;
    idHigh @1 :UInt64;
    idLow @2 :UInt64;
    actual @3 :Int64;
    holder @4 :UInt64;
  }
}

struct Override {
  limit @0 :Text;
  node @1 :UInt64;
  hasPin @2 :Bool;
  hasMin @3 :Bool;
  hasMax @4 :Bool;
  pin @5 :Int64;
  min @6 :Int64;
  max @7 :Int64;
  freeze @8 :Bool;
  noLend @9 :Bool;
  author @10 :Text;
  reason @11 :Text;
  expiresMs @12 :Int64;
}

struct ClearOverride {
  limit @0 :Text;
  node @1 :UInt64;
  expiresMs @2 :Int64;
}

struct Handover {
  stamp @0 :Int64;
  sessions @1 :List(Session);
  limits @2 :List(Limit);
  unbroken @3 :Int64;
  reservations @4 :List(Reservation);
  credits @5 :List(Credits);

  struct Session {
    account @0 :UInt64;
    remaining @1 :Int64;
  }
  struct Limit {
    limit @0 :Text;
    created @1 :UInt64;
    rate @2 :Int64;
    size @3 :Int64;
    ghost @4 :Int64;
    keys @5 :List(Key);
  }
  struct Key {
    high @0 :UInt64;
    low @1 :UInt64;
    level @2 :Int64;
  }
  struct Credits {
    limit @0 :Text;
    keys @1 :List(Key);
  }
}

struct SpendAhead {
  stamp @0 :Int64;
  spends @1 :List(Spend);

  struct Spend {
    ledger @0 :Common.LedgerId;
    implicitRate @1 :Int64;
    implicitSize @2 :Int64;
    amount @3 :Int64;
  }
}

# What may still be given back of an acquire; times are ages in a handover.
struct Reservation {
  idHigh @0 :UInt64;
  idLow @1 :UInt64;
  bucket @2 :Common.LedgerId;
  since @3 :Int64;
  reserved @4 :Int64;
  remaining @5 :Int64;
  refundable @6 :Int64;
  repeated @7 :Bool;
  settled @8 :Bool;
  actual @9 :Int64;
  refunded @10 :Int64;
  holder @11 :UInt64;
}

struct RemoveNode {
  node @0 :UInt64;
  certified @1 :Bool;
  stamp @2 :Int64;
}

# ---- what applying a command answers ----

enum Applied {
  done @0;
  refused @1;
  duplicate @2;
  expired @3;
}

struct Outcome {
  applied @0 :Applied;
  account @1 :UInt64;
  changes @2 :List(Applied);
  answers @3 :List(StrictAnswer);
  reason @4 :Text;
  version @5 :UInt64;
  settled @6 :List(Settled);

  struct StrictAnswer {
    applied @0 :Applied;
    admitted @1 :Bool;
    remaining @2 :Int64;
    retryAfter @3 :Int64;
  }
}

struct Settled {
  conflict @0 :Bool;
  refunded @1 :Int64;
}

struct OpenLedger {
  stamp @0 :Int64;
  ledger @1 :Common.LedgerId;
  created @2 :UInt64;
  account @3 :UInt64;
  level @4 :Int64;
}

struct CloseLedger {
  stamp @0 :Int64;
  ledger @1 :Common.LedgerId;
}
