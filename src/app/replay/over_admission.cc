#include "app/replay/over_admission.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/check.h"
#include "base/wide.h"

namespace brigade::replay {
namespace {

using base::Wide;

// Amounts here are in 1e-18 tokens: nano-tokens/s x ns, so that nothing is rounded on the way.
constexpr Wide kPerMicro = 1'000'000'000'000;
// Below every sum that can occur, and far from overflow.
constexpr Wide kNothing = -(Wide{1} << 125);

Wide minted(Rate rate, Duration time) {
  return static_cast<Wide>(rate.nano_per_second()) * time.count();
}

// Answers by time of receipt, of which some are switched on. Keeps the maximum over all that are on
// of (cost of those that are on, up to and with this one) - (rate x its time of receipt).
// A complete binary tree in an array; a node keeps the sum of the costs below it, and the maximum
// with the costs left of it left out.
class ReceiptTree {
 public:
  explicit ReceiptTree(std::size_t leaves)
      : first_leaf_(std::bit_ceil(std::max<std::size_t>(1, leaves))), nodes_(2 * first_leaf_) {}

  void switch_on(std::size_t leaf, Wide cost, Wide minted_until) {
    std::size_t at = first_leaf_ + leaf;
    nodes_[at] = {.sum = cost, .best = cost - minted_until};
    for (at /= 2; at >= 1; at /= 2) {
      const Node& left = nodes_[2 * at];
      const Node& right = nodes_[2 * at + 1];
      nodes_[at] = {.sum = left.sum + right.sum,
                    .best = std::max(left.best, left.sum + right.best)};
    }
  }
  [[nodiscard]] Wide best() const { return nodes_[1].best; }

 private:
  struct Node {
    Wide sum = 0;
    Wide best = kNothing;
  };
  std::size_t first_leaf_;
  std::vector<Node> nodes_;  // the root is 1, the children of i are 2i and 2i + 1
};

Tokens rounded_up(Wide amount) {
  const Wide whole = amount / kPerMicro;
  const Wide micro = whole + (amount > whole * kPerMicro ? 1 : 0);
  const auto most = static_cast<Wide>(std::numeric_limits<std::int64_t>::max());
  return Tokens::micro(static_cast<std::int64_t>(std::clamp(micro, -most, most)));
}

// Where the worst interval that begins at `from` ends. Requires: by time of receipt.
Duration worst_end(const std::vector<Admission>& admissions, Duration from, Rate rate) {
  Wide sum = 0;
  Wide best = kNothing;
  Duration until = from;
  for (const Admission& admission : admissions) {
    if (admission.sent < from) {
      continue;
    }
    sum += static_cast<Wide>(admission.cost.micro()) * kPerMicro;
    const Wide value = sum - minted(rate, admission.received);
    if (value > best) {
      best = value;
      until = admission.received;
    }
  }
  return until;
}

}  // namespace

OverAdmission worst_over_admission(std::vector<Admission> admissions, Rate rate, Tokens burst) {
  OverAdmission worst{.over = -burst};
  if (admissions.empty()) {
    return worst;
  }
  std::sort(admissions.begin(), admissions.end(),
            [](const Admission& a, const Admission& b) { return a.received < b.received; });
  std::vector<std::uint32_t> by_send(admissions.size());
  for (std::size_t i = 0; i < by_send.size(); ++i) {
    BRIGADE_CHECK(admissions[i].sent <= admissions[i].received);
    by_send[i] = static_cast<std::uint32_t>(i);
  }
  std::sort(by_send.begin(), by_send.end(), [&](std::uint32_t a, std::uint32_t b) {
    return admissions[a].sent > admissions[b].sent;
  });
  // The worst interval begins at a send and ends at a receipt of a request inside it. From the last
  // send back, what was switched on is exactly what lies behind the start of the interval. (Of
  // several sends at one time all but the last see too little, which does not hurt a maximum.)
  ReceiptTree tree(admissions.size());
  const Wide allowed = static_cast<Wide>(burst.micro()) * kPerMicro;
  Wide most = kNothing;
  for (const std::uint32_t i : by_send) {
    const Admission& admission = admissions[i];
    tree.switch_on(i, static_cast<Wide>(admission.cost.micro()) * kPerMicro,
                   minted(rate, admission.received));
    const Wide over = tree.best() + minted(rate, admission.sent) - allowed;
    if (over > most) {
      most = over;
      worst.from = admission.sent;
    }
  }
  if (most <= -allowed) {
    return {.over = -burst};  // no interval is worse than an empty one
  }
  worst.over = rounded_up(most);
  worst.until = worst_end(admissions, worst.from, rate);
  return worst;
}

}  // namespace brigade::replay
