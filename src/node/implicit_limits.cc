#include "node/implicit_limits.h"

#include <string>
#include <string_view>

#include "base/coverage.h"

namespace brigade::node {
namespace {

ImplicitLimit make(const ThrottleRequest& request, std::uint64_t key_seed) {
  bucket::LimitSpec spec;
  spec.name = "cl.throttle/" + std::to_string(request.max_burst) + "/" +
              std::to_string(request.count) + "/" + std::to_string(request.period_s);
  spec.per_key = true;
  spec.burst = Tokens::whole(request.max_burst + 1);
  spec.rate = base::Rate::of(Tokens::whole(request.count), base::seconds(request.period_s));
  const KeySpace keys(spec.name, key_seed);
  return {.spec = std::make_shared<const bucket::LimitSpec>(std::move(spec)), .keys = keys};
}

}  // namespace

std::size_t ImplicitLimits::Hash::operator()(const Terms& terms) const {
  const std::string_view bytes(reinterpret_cast<const char*>(&terms), sizeof(terms));
  return base::hash_key(bytes, 0).low;
}

const ImplicitLimit& ImplicitLimits::of(const ThrottleRequest& request) {
  const Terms terms{
      .max_burst = request.max_burst, .count = request.count, .period_s = request.period_s};
  if (const auto found = known_.find(terms); found != known_.end()) {
    return found->second;
  }
  if (known_.size() >= kRemembered) {
    COVERED("implicit limits are forgotten");
    known_.clear();
  }
  return known_.emplace(terms, make(request, key_seed_)).first->second;
}

}  // namespace brigade::node
