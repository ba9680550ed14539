// Random messages: every field of every kind takes many values.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <type_traits>
#include <utility>

#include "base/prng.h"
#include "tests/wire/reflection.h"
#include "wire/checks.h"

namespace brigade::wire {

// ---- the last enumerator of each choice ----
constexpr auto last(bucket::Mode) {
  return bucket::Mode::kStrict;
}
constexpr auto last(bucket::Fairness) {
  return bucket::Fairness::kKarma;
}
constexpr auto last(bucket::OnIsolated) {
  return bucket::OnIsolated::kKeep;
}
constexpr auto last(node::Verdict) {
  return node::Verdict::kTooManyWaiting;
}
constexpr auto last(node::Applied) {
  return node::Applied::kExpired;
}
constexpr auto last(raft::ChangeKind) {
  return raft::ChangeKind::kTouch;
}
constexpr auto last(raft::Transition) {
  return raft::Transition::kJointExplicit;
}
constexpr auto last(raft::EntryKind) {
  return raft::EntryKind::kChange;
}
constexpr auto last(gossip::MemberState) {
  return gossip::MemberState::kLeft;
}
constexpr auto last(gossip::RefusalReason) {
  return gossip::RefusalReason::kMalformed;
}
constexpr auto last(gossip::FoundingStage) {
  return gossip::FoundingStage::kInitialised;
}
constexpr auto last(gossip::FoundingObstacle) {
  return gossip::FoundingObstacle::kVotedElsewhere;
}

class Sampler {
 public:
  explicit Sampler(std::uint64_t seed) : dice_(seed) {}

  template <class T>
  T make() {
    T value;
    fill(value);
    return value;
  }
  // The alternative of this number.
  template <class Variant>
  Variant make_alternative(std::size_t index) {
    Variant value;
    emplace(value, index, std::make_index_sequence<std::variant_size_v<Variant>>());
    return value;
  }
  base::Prng& dice() { return dice_; }

 private:
  // ---- leaves ----
  std::int64_t up_to(std::int64_t most) {
    const auto bits = dice_.below(63);
    return std::min<std::int64_t>(static_cast<std::int64_t>(dice_.next() >> (63 - bits) >> 1),
                                  most);
  }
  void fill(bool& value) { value = dice_.chance(1, 2); }
  template <class T>
    requires std::is_integral_v<T>
  void fill(T& value) {
    value = static_cast<T>(dice_.chance(1, 8) ? T{0} : static_cast<T>(dice_.next()));
  }
  template <class T>
    requires std::is_enum_v<T>
  void fill(T& value) {
    value = static_cast<T>(dice_.below(static_cast<std::uint64_t>(last(T{})) + 1));
  }
  void fill(base::Tokens& value) { value = base::Tokens::micro(up_to(base::Tokens::kMaxMicro)); }
  void fill(base::Rate& value) { value = base::Rate::nano_per_second(up_to(base::Rate::kMaxNano)); }
  void fill(base::Duration& value) { value = base::Duration(up_to(base::seconds(86'400).count())); }
  template <class Tag, class Rep>
  void fill(base::Id<Tag, Rep>& value) {
    value = base::Id<Tag, Rep>(static_cast<Rep>(dice_.next() | 1));
  }
  void fill(raft::Term& value) { value = raft::Term(dice_.below(kOrdinalMax + 1)); }
  void fill(raft::Index& value) { value = raft::Index(dice_.below(kOrdinalMax + 1)); }
  void fill(gossip::Incarnation& value) { value = gossip::Incarnation(dice_.next()); }
  void fill(std::string& value) {
    value.clear();
    for (std::uint64_t size = 1 + dice_.below(24); size > 0; --size) {
      value.push_back(static_cast<char>(dice_.below(256)));
    }
  }
  void fill(base::Bytes& value) {
    value = dice_.chance(1, 4) ? base::Bytes() : base::Bytes(make<std::string>());
  }

  // ---- containers ----
  template <class T>
  void fill(std::vector<T>& value) {
    value.clear();
    for (std::uint64_t size = dice_.below(4); size > 0; --size) {
      fill(value.emplace_back());
    }
  }
  template <class T>
  void fill(std::set<T>& value) {
    for (std::uint64_t size = dice_.below(4); size > 0; --size) {
      value.insert(make<T>());
    }
  }
  template <class T>
  void fill(std::optional<T>& value) {
    if (dice_.chance(1, 2)) {
      fill(value.emplace());
    }
  }
  template <class... Ts>
  void fill(std::variant<Ts...>& value) {
    value = make_alternative<std::variant<Ts...>>(dice_.below(sizeof...(Ts)));
  }
  template <class T>
  void fill(std::shared_ptr<const T>& value) {
    value = std::make_shared<const T>(make<T>());
  }
  template <class Variant, std::size_t... I>
  void emplace(Variant& value, std::size_t index, std::index_sequence<I...>) {
    ((I == index ? fill(value.template emplace<I>()) : void()), ...);
  }

  // ---- structs with rules ----
  void fill(raft::Entry& value) {
    fill(value.id.term);
    fill(value.id.index);
    fill(value.kind);
    if (value.kind == raft::EntryKind::kCommand) {
      fill(value.data);
    } else {
      fill(value.change);
    }
  }
  void fill(raft::Append& value) {
    fill(value.prev.term);
    value.prev.term = raft::Term(value.prev.term.value() >> 8U);
    fill(value.commit);
    fill(value.entries);
    value.prev.index = raft::Index(dice_.next() >> 8U);
    raft::EntryId at = value.prev;
    for (raft::Entry& entry : value.entries) {
      at = {.term = raft::Term(at.term.value() + dice_.below(3)), .index = at.index.next()};
      entry.id = at;
    }
  }
  void fill(node::Ledger& value) {
    node::Ledger::Shares shares;
    for (std::uint64_t size = dice_.below(4); size > 0; --size) {
      node::Share share;
      fill(share.rate);
      fill(share.size);
      fill(share.granted);
      fill(share.epoch);
      fill(share.keep);
      if (dice_.chance(1, 2)) {
        share.shrinking = make<node::Shrinking>();
      }
      shares.emplace(make<node::Account>(), share);
    }
    node::Pool pool = make<node::Pool>();
    pool.rate = dice_.chance(1, 2) ? -pool.rate : pool.rate;
    pool.size = dice_.chance(1, 2) ? -pool.size : pool.size;
    value = node::Ledger(make<base::Rate>(), make<base::Tokens>(), pool, std::move(shares));
  }
  void fill(node::RenewAnswer& value) {
    fill_fields(value);
    value.drift_ppm = static_cast<std::int32_t>(dice_.below(500'000));
  }
  std::shared_ptr<const bucket::LimitSpec> implicit() {
    if (dice_.chance(1, 2)) {
      return nullptr;
    }
    bucket::LimitSpec spec;
    spec.name = "throttle:10/1s";
    spec.rate = base::Rate::per_second(10);
    spec.burst = base::Tokens::whole(20);
    spec.per_key = true;
    return std::make_shared<const bucket::LimitSpec>(std::move(spec));
  }
  void fill(node::Ask& value) {
    fill_fields(value);
    value.implicit = implicit();
  }
  void fill(node::QuantumAsk& value) {
    fill_fields(value);
    value.implicit = implicit();
  }

  // ---- any other struct ----
  template <class T>
  void fill_fields(T& value) {
    std::apply([this](auto&... field) { (this->fill(field), ...); }, fields(value));
  }
  template <class T>
    requires std::is_aggregate_v<T>
  void fill(T& value) {
    fill_fields(value);
  }

  base::Prng dice_;
};

}  // namespace brigade::wire
