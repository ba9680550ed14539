#include "app/replay/assignment.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/check.h"
#include "base/key_hash.h"

namespace brigade::replay {

using base::Error;
using base::Result;
using Kind = AssignmentSpec::Kind;

Result<AssignmentSpec> parse_assignment(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string_view rest =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  const bool has_rest = colon != std::string_view::npos;
  if (name == "round-robin" && !has_rest) {
    return AssignmentSpec{.kind = Kind::kRoundRobin, .node = {}};
  }
  if (name == "hash" && !has_rest) {
    return AssignmentSpec{.kind = Kind::kHash, .node = {}};
  }
  if (name == "one" && (!has_rest || !rest.empty())) {
    return AssignmentSpec{.kind = Kind::kOne, .node = std::string(rest)};
  }
  if (name == "skew") {
    double zipf = -1;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), zipf);
    if (error == std::errc{} && end == rest.data() + rest.size() && zipf >= 0 && zipf <= 10) {
      return AssignmentSpec{.kind = Kind::kSkew, .zipf = zipf, .node = {}};
    }
  }
  return Error{"'" + std::string(text) +
               "': expected round-robin, skew:Z (Z from 0 to 10), hash, one or one:NODE"};
}

Result<Assignment> Assignment::make(const AssignmentSpec& spec,
                                    const std::vector<std::string>& names, std::uint64_t seed) {
  BRIGADE_CHECK(!names.empty());
  Assignment assignment(spec.kind, seed);
  assignment.nodes_ = names.size();
  if (spec.kind == Kind::kOne && !spec.node.empty()) {
    const auto found = std::find(names.begin(), names.end(), spec.node);
    if (found == names.end()) {
      return Error{"one:" + spec.node + ": no such node among those of this replay"};
    }
    assignment.turn_ = static_cast<std::size_t>(found - names.begin());
  }
  if (spec.kind == Kind::kSkew) {
    // Whole parts of 2^40, so that the last bits of pow() hardly ever decide.
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const double share = std::pow(static_cast<double>(i + 1), -spec.zipf);
      sum += std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ldexp(share, 40) + 0.5));
      assignment.cumulative_.push_back(sum);
    }
  }
  return assignment;
}

std::size_t Assignment::next(std::string_view key) {
  switch (kind_) {
    case Kind::kRoundRobin: {
      const std::size_t node = turn_;
      turn_ = (turn_ + 1) % nodes_;
      return node;
    }
    case Kind::kSkew: {
      const std::uint64_t draw = dice_.below(cumulative_.back());
      const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), draw);
      return static_cast<std::size_t>(found - cumulative_.begin());
    }
    case Kind::kHash:
      return static_cast<std::size_t>(base::hash_key(key, seed_).low % nodes_);
    case Kind::kOne:
      break;
  }
  return turn_;
}

}  // namespace brigade::replay
