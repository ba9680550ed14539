#include "gossip/digests.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/wide.h"

namespace brigade::gossip {

std::int64_t digest_budget(const Config& config, std::size_t members) {
  if (members <= config.small_cluster) {
    return config.digest_bytes_rich;
  }
  if (members >= config.large_cluster) {
    return config.digest_bytes_lean;
  }
  const auto step = static_cast<std::int64_t>(members - config.small_cluster);
  const auto span = static_cast<std::int64_t>(config.large_cluster - config.small_cluster);
  return config.digest_bytes_rich -
         (config.digest_bytes_rich - config.digest_bytes_lean) * step / span;
}

DigestBoard::DigestBoard(const Config& config, NodeId self, TimePoint now)
    : config_(config), self_(self), published_at_(now), refilled_at_(now) {}

void DigestBoard::set_own(Bytes content) {
  const auto found = newest_.find(self_);
  if (found != newest_.end() && found->second.content == content) {
    unpublished_.reset();
  } else {
    unpublished_ = std::move(content);
  }
}

TimePoint DigestBoard::deadline() const {
  const bool published = newest_.contains(self_);
  if (unpublished_) {
    return published ? published_at_ + config_.digest_interval : published_at_;
  }
  return published ? published_at_ + config_.digest_repeat : base::kNever;
}

void DigestBoard::publish(Incarnation incarnation, TimePoint now) {
  if (now < deadline()) {
    return;
  }
  DigestView& own = newest_[self_];
  if (unpublished_) {
    own.content = *std::exchange(unpublished_, std::nullopt);
  }
  own.incarnation = incarnation;
  // A repetition is a new version too, or nobody who has the old one would pass it on.
  ++own.version;
  own.received_at = now;
  published_at_ = now;
  announce_own();
}

void DigestBoard::announce_own() {
  own_copies_ = newest_.contains(self_) ? config_.digest_own_copies : 0;
}

DigestBoard::Hearing DigestBoard::hear(const Digest& digest, TimePoint now) {
  const auto found = newest_.find(digest.id);
  if (found != newest_.end() && config_.plant != Plant::kOlderDigestWins) {
    const DigestView& held = found->second;
    if (std::pair(digest.incarnation, digest.version) <=
        std::pair(held.incarnation, held.version)) {
      return Hearing::kNothingNew;
    }
  }
  newest_[digest.id] = DigestView{digest.content, digest.incarnation, digest.version, now};
  passing_.add(digest.id);
  return Hearing::kNewer;
}

std::vector<Digest> DigestBoard::tell(Rumours::Room& room, std::size_t members, TimePoint now) {
  const std::int64_t budget = digest_budget(config_, members);
  const auto elapsed = static_cast<base::Wide>((now - refilled_at_).count());
  const auto earned =
      std::min<base::Wide>(static_cast<base::Wide>(budget) * elapsed / 1'000'000'000, budget);
  allowance_ = std::min(budget, allowance_ + static_cast<std::int64_t>(earned));
  refilled_at_ = earned > 0 ? now : refilled_at_;

  std::vector<Digest> told;
  Rumours::Room part{std::min(room.bytes, static_cast<std::size_t>(allowance_)), room.entries};
  const std::size_t before = part.bytes;
  if (own_copies_ > 0 && part.entries > 0) {
    const Digest own = of(self_);
    if (size_bound(own) <= part.bytes) {
      part.bytes -= size_bound(own);
      --part.entries;
      --own_copies_;
      told.push_back(own);
    }
  }
  for (const NodeId id : passing_.tell(part, config_.digest_copies,
                                       [this](NodeId each) { return size_bound(of(each)); })) {
    told.push_back(of(id));
  }
  const std::size_t spent = before - part.bytes;
  room.bytes -= spent;
  room.entries = part.entries;
  allowance_ -= static_cast<std::int64_t>(spent);
  return told;
}

Digest DigestBoard::of(NodeId id) const {
  const DigestView& view = newest_.find(id)->second;
  return Digest{id, view.incarnation, view.version, view.content};
}

std::optional<DigestView> DigestBoard::find(NodeId id) const {
  const auto found = newest_.find(id);
  return found == newest_.end() ? std::nullopt : std::optional(found->second);
}

void DigestBoard::forget(NodeId id) {
  newest_.erase(id);
  passing_.remove(id);
}

void DigestBoard::check_invariants() const {
  BRIGADE_CHECK(allowance_ >= 0);
  BRIGADE_CHECK(newest_.size() <= kMembersMax + 1);
  passing_.check_invariants();
  passing_.each([this](NodeId id) { BRIGADE_CHECK(newest_.contains(id) && id != self_); });
}

}  // namespace brigade::gossip
