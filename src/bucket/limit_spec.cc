#include "bucket/limit_spec.h"

#include <algorithm>
#include <cstddef>

namespace brigade::bucket {
namespace {

using base::Error;
using base::Status;
using base::Tokens;

constexpr std::size_t kMaxName = 128;
constexpr std::size_t kMaxPriorities = 16;
constexpr Permille kOne = 1000;

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._:/-").find(c) != std::string_view::npos;
}

bool is_fraction(Permille value) {
  return value >= 0 && value <= kOne;
}

Status validate_amounts(const LimitSpec& spec) {
  if (spec.rate <= base::Rate{} || spec.rate.nano_per_second() > base::Rate::kMaxNano) {
    return Error{"rate: expected more than 0 and at most 4.6e9 tokens per second"};
  }
  if (spec.burst < Tokens::whole(1) || spec.burst.micro() > Tokens::kMaxMicro) {
    return Error{"burst: expected between 1 and 1.1e12 tokens"};
  }
  if (spec.max_keys < 1) {
    return Error{"max_keys: expected at least 1"};
  }
  return base::ok();
}

// 1500 -> "1.5"
std::string decimal(Permille value) {
  std::string digits = std::to_string(value % kOne + kOne).substr(1);
  digits.erase(digits.find_last_not_of('0') + 1);
  return std::to_string(value / kOne) + (digits.empty() ? "" : "." + digits);
}

Status validate_sizing(const LimitSpec& spec) {
  const SizingSpec& s = spec.sizing;
  if (s.min < Tokens{} || s.max < Tokens{} || (s.max > Tokens{} && s.max < s.min)) {
    return Error{"bucket: expected 0 <= min <= max"};
  }
  if (s.threshold_low <= 0 || s.threshold_high <= s.threshold_low || s.threshold_high > kOne) {
    return Error{"bucket: expected 0 < threshold_low < threshold_high <= 1"};
  }
  if (s.growth <= kOne || s.growth > 10 * kOne || s.shrink <= 0 || s.shrink >= kOne) {
    return Error{"bucket: expected 1 < growth <= 10 and 0 < shrink < 1"};
  }
  // Without these two a size that just grew would at once want to shrink again, and back.
  if (static_cast<std::int64_t>(s.threshold_high) * kOne <
      static_cast<std::int64_t>(s.growth) * s.threshold_low) {
    return Error{
        "bucket: sizes would flap: expected threshold_high >= growth * threshold_low, got " +
        decimal(s.threshold_high) + " < " + decimal(s.growth) + " * " + decimal(s.threshold_low)};
  }
  if (static_cast<std::int64_t>(s.threshold_low) * kOne >
      static_cast<std::int64_t>(s.shrink) * s.threshold_high) {
    return Error{
        "bucket: sizes would flap: expected threshold_low <= shrink * threshold_high, got " +
        decimal(s.threshold_low) + " > " + decimal(s.shrink) + " * " + decimal(s.threshold_high)};
  }
  return base::ok();
}

Status validate_shares(const LimitSpec& spec) {
  if (!is_fraction(spec.lend.max_share) || spec.lend.reserve < Tokens{}) {
    return Error{"lend: expected max_share between 0 and 1 and reserve >= 0"};
  }
  if (spec.priorities.size() > kMaxPriorities) {
    return Error{"priorities: expected at most 16 classes"};
  }
  for (const PrioritySpec& priority : spec.priorities) {
    if (priority.name.empty() || priority.name.size() > kMaxName) {
      return Error{"priorities: expected class names of 1 to 128 bytes"};
    }
    if (!is_fraction(priority.reserved) || priority.reserved == kOne) {
      return Error{"priorities: " + priority.name + ": expected a fraction in [0, 1)"};
    }
    const auto same = [&](const PrioritySpec& other) { return other.name == priority.name; };
    if (std::count_if(spec.priorities.begin(), spec.priorities.end(), same) > 1) {
      return Error{"priorities: " + priority.name + " is named twice"};
    }
  }
  if (spec.queue.max_wait < base::Duration::zero() || spec.queue.max_wait > base::seconds(3600)) {
    return Error{"queue: expected max_wait between 0 and 1h"};
  }
  if (spec.queue.max_waiting > 1'000'000) {
    return Error{"queue: expected max_waiting of at most 1000000"};
  }
  return base::ok();
}

}  // namespace

Permille LimitSpec::reserved(std::string_view priority) const {
  for (const PrioritySpec& candidate : priorities) {
    if (candidate.name == priority) {
      return candidate.reserved;
    }
  }
  return 0;
}

bool LimitSpec::has_priority(std::string_view priority) const {
  return std::any_of(priorities.begin(), priorities.end(),
                     [&](const PrioritySpec& candidate) { return candidate.name == priority; });
}

Tokens LimitSpec::largest_cost(std::string_view priority) const {
  return priority.empty() ? burst : burst.scaled(kOne - reserved(priority), kOne);
}

bool LimitSpec::divided() const {
  // The cheap questions first: this is asked with every decision about a key.
  return mode == Mode::kShared && !per_key &&
         (burst >= kFewTokens || sizing != SizingSpec() || lend != LendSpec() ||
          on_isolated != OnIsolated::kDeny);
}

bool reserves(const LimitSpec& spec) {
  return std::any_of(spec.priorities.begin(), spec.priorities.end(),
                     [](const PrioritySpec& one) { return one.reserved > 0; });
}

Status validate(const LimitSpec& spec) {
  if (spec.name.empty() || spec.name.size() > kMaxName ||
      !std::all_of(spec.name.begin(), spec.name.end(), is_name_char)) {
    return Error{"name: expected 1 to 128 characters of A-Z a-z 0-9 . _ : / -"};
  }
  if (auto status = validate_amounts(spec); !status) {
    return status;
  }
  if (auto status = validate_sizing(spec); !status) {
    return status;
  }
  return validate_shares(spec);
}

Status meaningful(const LimitSpec& spec) {
  if (spec.sizing.min > spec.burst) {
    return Error{"bucket.min: expected at most the burst: no node can hold more of it"};
  }
  if (!spec.per_key && spec.max_keys != LimitSpec().max_keys) {
    return Error{"max_keys: expected only with `per: key`: this limit has one bucket for all"};
  }
  if (spec.mode == Mode::kStrict) {
    const std::string why = ": expected only without `mode: strict`, where no node has a share";
    if (spec.sizing != SizingSpec()) {
      return Error{"bucket" + why};
    }
    if (spec.lend != LendSpec()) {
      return Error{"lend" + why};
    }
    if (spec.fairness != LimitSpec().fairness) {
      return Error{"fairness" + why};
    }
    if (spec.on_isolated != LimitSpec().on_isolated) {
      return Error{"on_isolated" + why};
    }
  }
  return base::ok();
}

}  // namespace brigade::bucket
