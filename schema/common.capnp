@0x9971afae7e98004f;
# What several schemas speak of.
#
# Units everywhere: tokens in micro-tokens, rates in nano-tokens per second, times and durations in
# nanoseconds, fractions in thousandths.
#
# Compatibility: fields and union members are only ever added, at the end, with defaults that mean
# "as before". A reader refuses a union member or enumerant that it does not know; the sender must
# not rely on it before every member runs a version that does.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("brigade::schema");

struct Bits128 {
  high @0 :UInt64;
  low @1 :UInt64;
}

# A shared limit (key zero) or one key of a limit.
struct LedgerId {
  limit @0 :Text;
  keyHigh @1 :UInt64;
  keyLow @2 :UInt64;
}

struct Rights {
  ledger @0 :LedgerId;
  rate @1 :Int64;
  size @2 :Int64;
  granted @3 :Int64;
  epoch @4 :UInt64;
  keep @5 :Bool;
}

enum Mode {
  shared @0;
  strict @1;
}

enum Fairness {
  proportional @0;
  maxmin @1;
  karma @2;
}

enum OnIsolated {
  deny @0;
  keep @1;
}

struct LimitSpec {
  name @0 :Text;
  rate @1 :Int64;
  burst @2 :Int64;
  perKey @3 :Bool;
  mode @4 :Mode;
  sizing @5 :Sizing;
  lend @6 :Lend;
  fairness @7 :Fairness;
  priorities @8 :List(Priority);
  maxWait @9 :Int64;
  maxWaiting @10 :UInt32;
  onIsolated @11 :OnIsolated;
  shadow @12 :Bool;
  maxKeys @13 :Int64;

  struct Sizing {
    min @0 :Int64;
    max @1 :Int64;
    thresholdHigh @2 :Int32;
    thresholdLow @3 :Int32;
    growth @4 :Int32;
    shrink @5 :Int32;
  }

  struct Lend {
    enabled @0 :Bool;
    maxShare @1 :Int32;
    reserve @2 :Int64;
  }

  struct Priority {
    name @0 :Text;
    reserved @1 :Int32;
  }
}
