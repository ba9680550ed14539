@0xcd29e61280d8aa19;
# What nodes say to each other over a link: one Frame per message.

using Cxx = import "/capnp/c++.capnp";
using Common = import "common.capnp";
using Commands = import "commands.capnp";
using Records = import "records.capnp";
using Raft = import "raft.capnp";
$Cxx.namespace("brigade::schema");

struct Frame {
  union {
    raft :group {
      shard @0 :UInt32;
      message @1 :Raft.RaftMessage;
    }
    openAsk @2 :OpenAsk;
    openAnswer @3 :OpenAnswer;
    renew @4 :Renew;
    renewAnswer @5 :RenewAnswer;
    configHint @6 :ConfigHint;
    leaderHint @7 :LeaderHint;
    rightsNotice @8 :RightsNotice;
    shrunkNotice @9 :ShrunkNotice;
    borrow @10 :Borrow;
    loan @11 :Loan;
    ask @12 :Ask;
    told @13 :Told;
    submit @14 :Submit;
    submitted @15 :Submitted;
    pullAsk @16 :PullAsk;
    pullAnswer @17 :PullAnswer;
    surveyAsk @18 :SurveyAsk;
    surveyAnswer @19 :SurveyAnswer;
    replicaGone @20 :ReplicaGone;
    snapshotPart @21 :SnapshotPart;
    snapshotHave @22 :SnapshotHave;
    settleAsk @23 :SettleAsk;
    settleTold @24 :SettleTold;
    quantumAsk @25 :QuantumAsk;
    quantum @26 :Quantum;
    askBatch @27 :AskBatch;
    toldBatch @28 :ToldBatch;
  }
}

# ---- replicas ----

struct ReplicaGone {
  shard @0 :UInt32;
  replica @1 :UInt64;
  nodeRemoved @2 :Bool;
}

struct SnapshotPart {
  shard @0 :UInt32;
  from @1 :UInt64;
  to @2 :UInt64;
  term @3 :UInt64;
  last @4 :Raft.EntryId;
  conf @5 :Raft.ConfState;
  size @6 :UInt64;
  offset @7 :UInt64;
  bytes @8 :Data;
}

struct SnapshotHave {
  shard @0 :UInt32;
  from @1 :UInt64;
  to @2 :UInt64;
  last @3 :Raft.EntryId;
  have @4 :UInt64;
}

# ---- sessions ----

struct OpenAsk {
  shard @0 :UInt32;
  bootHigh @1 :UInt64;
  bootLow @2 :UInt64;
  attempt @3 :UInt64;
  start @4 :UInt64;
}

struct OpenAnswer {
  shard @0 :UInt32;
  bootHigh @1 :UInt64;
  bootLow @2 :UInt64;
  attempt @3 :UInt64;
  account @4 :UInt64;
}

struct Renew {
  shard @0 :UInt32;
  account @1 :UInt64;
  bootHigh @2 :UInt64;
  bootLow @3 :UInt64;
  sent @4 :Int64;
  configKnown @5 :UInt64;
  confirmed @6 :List(Confirmation);
  demands @7 :List(DemandReport);

  struct Confirmation {
    ledger @0 :Common.LedgerId;
    epoch @1 :UInt64;
  }
  struct DemandReport {
    ledger @0 :Common.LedgerId;
    offered @1 :Int64;
    deviation @2 :Int64;
    level @3 :Int64;
    largest @4 :Int64;
    lacking @5 :Int64;
    admitted @6 :Int64;
    refused @7 :Int64;
    lent @8 :Int64;
    borrowed @9 :Int64;
    pressed @10 :Bool;
  }
}

struct RenewAnswer {
  shard @0 :UInt32;
  account @1 :UInt64;
  bootHigh @2 :UInt64;
  bootLow @3 :UInt64;
  sent @4 :Int64;
  live @5 :Bool;
  gone @6 :Bool;
  tau @7 :Int64;
  driftPpm @8 :Int32;
  configVersion @9 :UInt64;
  limits @10 :List(Records.ConfigRecord);
  dropped @11 :List(Dropped);
  rights @12 :List(Common.Rights);
  noLend @13 :List(Text);
  removed @14 :Bool;
  credits @15 :List(Credit);
  closed @16 :List(Common.LedgerId);

  struct Credit {
    limit @0 :Text;
    node @1 :UInt64;
    rank @2 :Int32;
  }

  struct Dropped {
    limit @0 :Text;
    version @1 :UInt64;
  }
}

struct ConfigHint {
  shard @0 :UInt32;
  version @1 :UInt64;
}

struct LeaderHint {
  shard @0 :UInt32;
  leader @1 :UInt64;
  term @2 :UInt64;
}

# ---- rights ----

struct RightsNotice {
  shard @0 :UInt32;
  account @1 :UInt64;
  rights @2 :List(Common.Rights);
}

struct ShrunkNotice {
  shard @0 :UInt32;
  account @1 :UInt64;
  shrunk @2 :List(Shrunk);

  struct Shrunk {
    ledger @0 :Common.LedgerId;
    epoch @1 :UInt64;
    surplus @2 :Int64;
  }
}

# ---- loans ----

struct Borrow {
  ledger @0 :Common.LedgerId;
  version @1 :UInt64;
  account @2 :UInt64;
  seq @3 :UInt64;
  want @4 :Int64;
  min @5 :Int64;
  priority @6 :UInt8;
  byHand @7 :Bool;
}

struct Loan {
  ledger @0 :Common.LedgerId;
  account @1 :UInt64;
  seq @2 :UInt64;
  granted @3 :Int64;
  freeAfter @4 :Int64;
  others @5 :List(Lender);

  struct Lender {
    node @0 :UInt64;
    free @1 :Int64;
  }
}

# ---- decisions taken elsewhere ----

struct Ask {
  shard @0 :UInt32;
  ticket @1 :UInt64;
  ledger @2 :Common.LedgerId;
  cost @3 :Int64;
  priority @4 :Text;
  wait @5 :Int64;
  peek @6 :Bool;
  idHigh @7 :UInt64;
  idLow @8 :UInt64;
  implicit @9 :Common.LimitSpec;  # null: the limit is a declared one
  reserve @10 :Bool;
}

enum Verdict {
  admitted @0;
  refused @1;
  never @2;
  unknownLimit @3;
  badRequest @4;
  noRights @5;
  tooManyKeys @6;
  tooManyWaiting @7;
}

struct Told {
  ticket @0 :UInt64;
  elsewhere @1 :Bool;
  leader @2 :UInt64;
  verdict @3 :Verdict;
  remaining @4 :Int64;
  retryAfter @5 :Int64;
  unknown @6 :Bool;
  again @7 :Bool;
  ledger @8 :Bool;
}

struct AskBatch {
  limits @0 :List(Limit);
  asks @1 :List(One);

  struct Limit {
    name @0 :Text;
    implicit @1 :Common.LimitSpec;  # null: a declared one
  }
  struct One {
    ticket @0 :UInt64;
    keyHigh @1 :UInt64;
    keyLow @2 :UInt64;
    cost @3 :Int64;
    wait @4 :Int64;
    idHigh @5 :UInt64;
    idLow @6 :UInt64;
    limit @7 :UInt32;  # position in limits
    shard @8 :UInt32;
    peek @9 :Bool;
    reserve @10 :Bool;
    priority @11 :Text;
  }
}

struct ToldBatch {
  tolds @0 :List(Told);
}

struct SettleAsk {
  shard @0 :UInt32;
  ticket @1 :UInt64;
  ledger @2 :Common.LedgerId;
  idHigh @3 :UInt64;
  idLow @4 :UInt64;
  actual @5 :Int64;
  holder @6 :UInt64;
}

struct SettleTold {
  ticket @0 :UInt64;
  elsewhere @1 :Bool;
  unknown @2 :Bool;
  leader @3 :UInt64;
  settled @4 :Commands.Settled;
}

# ---- tokens of home keys in advance ----

struct QuantumAsk {
  shard @0 :UInt32;
  ticket @1 :UInt64;
  ledger @2 :Common.LedgerId;
  till @3 :UInt64;
  term @4 :UInt64;
  number @5 :UInt64;
  spent @6 :Int64;
  want @7 :Int64;
  least @8 :Int64;
  closing @9 :Bool;
  implicit @10 :Common.LimitSpec;  # null: the limit is a declared one
}

struct Quantum {
  ticket @0 :UInt64;
  term @1 :UInt64;
  number @2 :UInt64;
  granted @3 :Int64;
  lasts @4 :Int64;
  recalled @5 :Bool;
}

# ---- control plane ----

struct Submit {
  shard @0 :UInt32;
  ticket @1 :UInt64;
  command @2 :Commands.Command;
}

struct Submitted {
  ticket @0 :UInt64;
  elsewhere @1 :Bool;
  unknown @2 :Bool;
  leader @3 :UInt64;
  outcome @4 :Commands.Outcome;
}

struct PullAsk {
  ticket @0 :UInt64;
  limit @1 :Text;
  from @2 :UInt64;
  amount @3 :Int64;
}

struct PullAnswer {
  ticket @0 :UInt64;
  amount @1 :Int64;
  reason @2 :Text;
}

struct SurveyAsk {
  ticket @0 :UInt64;
}

struct SurveyAnswer {
  ticket @0 :UInt64;
  buckets @1 :List(Bucket);
  replicas @2 :List(Replica);
  pools @3 :List(Pool);
  overrides @4 :List(Commands.Override);

  struct Bucket {
    ledger @0 :Common.LedgerId;
    rate @1 :Int64;
    size @2 :Int64;
    level @3 :Int64;
    lent @4 :Int64;
    borrowed @5 :Int64;
    admitted @6 :Int64;
    refused @7 :Int64;
    offered @8 :Int64;
  }
  struct Replica {
    shard @0 :UInt32;
    term @1 :UInt64;
    leads @2 :Bool;
    commit @3 :UInt64;
    applied @4 :UInt64;
    leaderFor @5 :Int64;
    voters @6 :List(UInt64);
    learners @7 :List(UInt64);
    outgoing @8 :List(UInt64);
  }
  struct Pool {
    ledger @0 :Common.LedgerId;
    rate @1 :Int64;
    size @2 :Int64;
    level @3 :Int64;
    effectiveRate @4 :Int64;
    effectiveBurst @5 :Int64;
    jain @6 :Int32;
    maxMinGap @7 :Int32;
  }
}
