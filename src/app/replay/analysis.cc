#include "app/replay/analysis.h"

#include <algorithm>
#include <cstddef>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/wide.h"

namespace brigade::replay {
namespace {

using base::Wide;
using Indices = std::vector<std::uint32_t>;

constexpr Wide kPerMicro = 1'000'000'000'000;  // 1e-18 tokens in a micro-token

// A token bucket that is never late.
class IdealBucket {
 public:
  explicit IdealBucket(const Terms& terms)
      : rate_(terms.rate),
        size_(static_cast<Wide>(terms.burst.micro()) * kPerMicro),
        level_(size_) {}

  bool take(Tokens cost) {
    const Wide units = static_cast<Wide>(cost.micro()) * kPerMicro;
    const bool enough = level_ >= units;
    level_ -= enough ? units : 0;
    return enough;
  }
  // Requires: `now` does not go back.
  void mint(Duration now) {
    level_ = std::min(
        size_, level_ + static_cast<Wide>(rate_.nano_per_second()) * (now - minted_until_).count());
    minted_until_ = now;
  }

 private:
  Rate rate_;
  Wide size_;  // in 1e-18 tokens, as the level
  Wide level_;
  Duration minted_until_{0};
};

// One ideal bucket per key and node, or fewer: `split` keeps nodes apart.
class Buckets {
 public:
  Buckets(const Terms& terms, bool split) : terms_(terms), split_(split) {}

  // The bucket of that attempt, as it is at `now`.
  IdealBucket& at(const Attempt& attempt, Duration now) {
    const std::uint64_t key = terms_.per_key ? attempt.key : 0;
    const std::uint64_t id = (key << 16U) | (split_ ? attempt.node : 0U);
    IdealBucket& bucket = buckets_.try_emplace(id, terms_).first->second;
    bucket.mint(now);
    return bucket;
  }

 private:
  const Terms& terms_;
  bool split_;
  std::unordered_map<std::uint64_t, IdealBucket> buckets_;
};

// When a request counts as offered: at its send, or when it should have been.
Duration offered_at(const Attempt& attempt) {
  return was_sent(attempt.fate) ? attempt.sent : attempt.due;
}

Quantiles quantiles(std::vector<Duration> values) {
  if (values.empty()) {
    return {};
  }
  std::sort(values.begin(), values.end());
  const auto rank = [&](std::size_t permille) {
    const std::size_t nearest = (values.size() * permille + 999) / 1000;
    return values[std::max<std::size_t>(1, nearest) - 1];
  };
  return {.p50 = rank(500), .p99 = rank(990), .p999 = rank(999)};
}

void count(const std::vector<Attempt>& attempts, Findings& findings) {
  std::vector<Duration> latencies;
  std::vector<Duration> lags;
  std::vector<std::vector<Duration>> by_node(findings.nodes.size());
  Duration first = Duration::max();
  Duration last{0};
  for (const Attempt& attempt : attempts) {
    if (attempt.fate == Fate::kNotSent) {
      continue;
    }
    BRIGADE_CHECK(attempt.node < findings.nodes.size());
    findings.tally.add(attempt);
    findings.nodes[attempt.node].tally.add(attempt);
    first = std::min(first, attempt.due);
    last = std::max(last, offered_at(attempt));
    if (attempt.fate == Fate::kAdmitted) {
      findings.admitted_by_source.at(static_cast<std::size_t>(attempt.source)).add(attempt.cost);
    }
    if (was_sent(attempt.fate)) {
      lags.push_back(attempt.sent - attempt.due);
    }
    if (was_answered(attempt.fate)) {
      latencies.push_back(attempt.received - attempt.sent);
      by_node[attempt.node].push_back(latencies.back());
      last = std::max(last, attempt.received);
    }
  }
  findings.latency = quantiles(std::move(latencies));
  findings.lag = quantiles(std::move(lags));
  for (std::size_t i = 0; i < by_node.size(); ++i) {
    findings.nodes[i].latency = quantiles(std::move(by_node[i]));
  }
  findings.duration = first == Duration::max() ? Duration(0) : last - first;
}

// The yardsticks: runs the attempts in the order in which they were offered.
void compare(const std::vector<Attempt>& attempts, const Terms& terms, Findings& findings) {
  Indices order;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    if (attempts[i].fate != Fate::kNotSent) {
      order.push_back(static_cast<std::uint32_t>(i));
    }
  }
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::pair(offered_at(attempts[a]), a) < std::pair(offered_at(attempts[b]), b);
  });
  const auto nodes = static_cast<std::int64_t>(findings.nodes.size());
  const Terms part{.rate = terms.rate.scaled(1, nodes),
                   .burst = terms.burst.scaled(1, nodes),
                   .per_key = terms.per_key};
  Buckets central(terms, false);
  Buckets central_of_all(terms, false);
  Buckets fixed_parts(part, true);
  for (const std::uint32_t i : order) {
    const Attempt& attempt = attempts[i];
    const Duration now = offered_at(attempt);
    const auto ask = [&](Buckets& buckets, Count& admitted) {
      if (buckets.at(attempt, now).take(attempt.cost)) {
        admitted.add(attempt.cost);
      }
    };
    ask(central_of_all, findings.central_admitted_of_all);
    if (!was_answered(attempt.fate)) {
      continue;
    }
    ask(central, findings.central_admitted);
    ask(fixed_parts, findings.static_admitted);
  }
}

void find_worst(const std::vector<Attempt>& attempts, const Terms& terms, Findings& findings) {
  Indices admitted;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    if (attempts[i].fate == Fate::kAdmitted) {
      admitted.push_back(static_cast<std::uint32_t>(i));
    }
  }
  if (terms.per_key) {
    std::sort(admitted.begin(), admitted.end(), [&](std::uint32_t a, std::uint32_t b) {
      return std::pair(attempts[a].key, a) < std::pair(attempts[b].key, b);
    });
  }
  findings.worst = worst_over_admission({}, terms.rate, terms.burst);
  for (std::size_t begin = 0; begin < admitted.size();) {
    const std::uint32_t key = attempts[admitted[begin]].key;
    std::vector<Admission> group;
    std::size_t end = begin;
    for (; end < admitted.size(); ++end) {
      const Attempt& attempt = attempts[admitted[end]];
      if (terms.per_key && attempt.key != key) {
        break;
      }
      group.push_back({.sent = attempt.sent, .received = attempt.received, .cost = attempt.cost});
    }
    const OverAdmission worst = worst_over_admission(std::move(group), terms.rate, terms.burst);
    if (worst.over > findings.worst.over) {
      findings.worst = worst;
      findings.worst_key = key;
    }
    begin = end;
  }
}

}  // namespace

Count Tally::errors() const {
  Count sum;
  for (const Count& part : {error_replies, unanswered, node_down, overflow}) {
    sum.requests += part.requests;
    sum.tokens += part.tokens;
  }
  return sum;
}

void Tally::add(const Attempt& attempt) {
  offered.add(attempt.cost);
  switch (attempt.fate) {
    case Fate::kNotSent:
      break;
    case Fate::kAdmitted:
      admitted.add(attempt.cost);
      break;
    case Fate::kRefused:
      refused.add(attempt.cost);
      break;
    case Fate::kErrorReply:
      error_replies.add(attempt.cost);
      break;
    case Fate::kUnanswered:
      unanswered.add(attempt.cost);
      break;
    case Fate::kNodeDown:
      node_down.add(attempt.cost);
      break;
    case Fate::kOverflow:
      overflow.add(attempt.cost);
      break;
  }
}

Findings analyse(const std::vector<Attempt>& attempts, std::size_t nodes, const Terms& terms) {
  BRIGADE_CHECK(nodes > 0);
  Findings findings;
  findings.nodes.resize(nodes);
  count(attempts, findings);
  compare(attempts, terms, findings);
  find_worst(attempts, terms, findings);
  return findings;
}

}  // namespace brigade::replay
