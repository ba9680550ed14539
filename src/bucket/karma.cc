#include "bucket/karma.h"

#include <algorithm>
#include <cstddef>

#include "base/check.h"
#include "base/wide.h"

namespace brigade::bucket {
namespace {

using base::NodeId;
using base::Tokens;
using base::Wide;

constexpr Permille kOne = 1000;
// Balances further out say nothing more, and sums of them stay far from overflow.
constexpr std::int64_t kBalanceMax = std::int64_t{1} << 58;

std::int64_t sum(std::span<const std::int64_t> values) {
  Wide total = 0;
  for (const std::int64_t value : values) {
    total += value;
  }
  return static_cast<std::int64_t>(std::min<Wide>(total, INT64_MAX));
}

// A quantum's books: what everybody asks for, gives up and is paid.
struct Quantum {
  std::vector<std::int64_t> guaranteed;  // what is used of it
  std::vector<std::int64_t> donated;     // what is not
  std::vector<std::int64_t> borrows;     // wanted beyond it
  std::int64_t shared = 0;               // guaranteed to nobody
};

}  // namespace

std::vector<std::int64_t> pour(std::span<const std::int64_t> levels,
                               std::span<const std::int64_t> depths, std::int64_t amount) {
  BRIGADE_CHECK(levels.size() == depths.size());
  std::vector<std::int64_t> poured(depths.begin(), depths.end());
  Wide depth_sum = 0;
  Wide low = INT64_MAX;
  Wide high = INT64_MIN;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    depth_sum += depths[i];
    low = std::min<Wide>(low, levels[i]);
    high = std::max<Wide>(high, static_cast<Wide>(levels[i]) + depths[i]);
  }
  if (depth_sum <= amount) {
    return poured;
  }
  const auto rise = [&](std::size_t i, Wide level) {
    return std::clamp<Wide>(level - levels[i], 0, depths[i]);
  };
  const auto volume = [&](Wide level) {
    Wide total = 0;
    for (std::size_t i = 0; i < levels.size(); ++i) {
      total += rise(i, level);
    }
    return total;
  };
  while (low + 1 < high) {  // volume(low) <= amount < volume(high)
    const Wide middle = low + (high - low) / 2;
    (volume(middle) <= amount ? low : high) = middle;
  }
  Wide left = amount - volume(low);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const Wide more = std::min(left, rise(i, low + 1) - rise(i, low));
    poured[i] = static_cast<std::int64_t>(rise(i, low) + more);
    left -= more;
  }
  return poured;
}

KarmaBook::KarmaBook(Permille guaranteed) : guaranteed_(std::clamp(guaranteed, 0, kOne)) {}

std::int64_t KarmaBook::mean() const {
  Wide total = 0;
  for (const auto& [id, balance] : balances_) {
    total += balance;
  }
  return balances_.empty()
             ? 0
             : static_cast<std::int64_t>(total / static_cast<std::int64_t>(balances_.size()));
}

void KarmaBook::credit(NodeId id, std::int64_t amount) {
  std::int64_t& balance = balances_.at(id);
  const auto after = static_cast<std::int64_t>(
      std::clamp<Wide>(static_cast<Wide>(balance) + amount, -kBalanceMax, kBalanceMax));
  issued_ += after - balance;
  balance = after;
}

void KarmaBook::join(NodeId id) {
  if (!balances_.contains(id)) {
    const std::int64_t start = mean();
    balances_.emplace(id, start);
    issued_ += start;
  }
}

void KarmaBook::leave(NodeId id) {
  const auto found = balances_.find(id);
  if (found != balances_.end()) {
    issued_ -= found->second;
    balances_.erase(found);
  }
}

std::vector<Tokens> KarmaBook::divide(std::span<const Member> members, Tokens total) {
  const std::int64_t supply = std::max<std::int64_t>(total.micro(), 0);
  Wide weights = 0;
  for (const Member& member : members) {
    join(member.id);
    weights += member.weight;
  }
  Quantum quantum;
  quantum.shared = supply;
  for (const Member& member : members) {
    const auto fair =
        static_cast<std::int64_t>(static_cast<Wide>(supply) * member.weight / weights);
    const std::int64_t mine =
        static_cast<std::int64_t>(static_cast<Wide>(fair) * guaranteed_ / kOne);
    credit(member.id, fair - mine);
    const std::int64_t used = std::min(member.demand.micro(), mine);
    quantum.guaranteed.push_back(used);
    quantum.donated.push_back(mine - used);
    quantum.borrows.push_back(member.demand.micro() - used);
    quantum.shared -= mine;
  }
  // The richest borrow first: pour over balances turned upside down.
  std::vector<std::int64_t> balances;
  std::vector<std::int64_t> upside_down;
  for (const Member& member : members) {
    balances.push_back(balances_.at(member.id));
    upside_down.push_back(-balances.back());
  }
  const std::vector<std::int64_t> borrowed =
      pour(upside_down, quantum.borrows, quantum.shared + sum(quantum.donated));
  // The poorest lend first, and what is guaranteed to nobody is lent last.
  const std::vector<std::int64_t> lent = pour(balances, quantum.donated, sum(borrowed));
  std::vector<Tokens> parts;
  for (std::size_t i = 0; i < members.size(); ++i) {
    credit(members[i].id, lent[i] - borrowed[i]);
    parts.push_back(Tokens::micro(quantum.guaranteed[i] + borrowed[i]));
  }
  return parts;
}

void KarmaBook::traded(NodeId id, Tokens lent, Tokens borrowed) {
  join(id);
  credit(id, lent.micro() - borrowed.micro());
}

Tokens KarmaBook::balance(NodeId id) const {
  const auto found = balances_.find(id);
  return found == balances_.end() ? Tokens{} : Tokens::micro(found->second);
}

Permille KarmaBook::lend_rank(NodeId id) const {
  const auto found = balances_.find(id);
  if (found == balances_.end()) {
    return 0;
  }
  const std::int64_t middle = mean();
  std::int64_t furthest = 0;
  for (const auto& [other, balance] : balances_) {
    furthest = std::max(furthest, balance > middle ? balance - middle : middle - balance);
  }
  if (furthest == 0) {
    return 0;
  }
  return static_cast<Permille>(static_cast<Wide>(middle - found->second) * kOne / furthest);
}

void KarmaBook::check_invariants() const {
  Wide total = 0;
  for (const auto& [id, balance] : balances_) {
    total += balance;
  }
  BRIGADE_CHECK(total == issued_);
}

}  // namespace brigade::bucket
