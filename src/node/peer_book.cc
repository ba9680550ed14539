#include "node/peer_book.h"

#include <algorithm>

#include "base/key_hash.h"

namespace brigade::node {
namespace {

// A loan that takes longer counts as slow; equal to the borrow timeout.
constexpr base::Duration kTimeout = base::milliseconds(50);
constexpr base::Duration kRttMin = std::chrono::microseconds(200);
constexpr base::Duration kRttMax = base::milliseconds(500);
constexpr std::size_t kTopLenders = 4;
// What a peer said itself so lately is better than what others say of it.
constexpr base::Duration kFirstHand = base::milliseconds(200);
// How much rather than others a busy peer is asked (Candidate::credit).
constexpr bucket::Permille kPressedCredit = 500;

}  // namespace

std::uint64_t PeerBook::hash_of(const LedgerId& ledger) {
  return base::hash_key(ledger.limit, 0).low ^ ledger.key.low;
}

void PeerBook::joined(NodeId peer, const Home& where) {
  const auto [it, fresh] = peers_.try_emplace(peer);
  it->second.where = where;
}

void PeerBook::left(NodeId peer) {
  peers_.erase(peer);
}

void PeerBook::free_tokens(NodeId peer, std::uint64_t limit, Tokens free, base::TimePoint now) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) {
    return;
  }
  auto& known = found->second.free;
  if (known.size() >= kMaxLimitsPerPeer && !known.contains(limit)) {
    known.erase(std::min_element(known.begin(), known.end(), [](const auto& a, const auto& b) {
      return a.second.at < b.second.at;
    }));
  }
  known[limit] = {.tokens = free, .at = now};
}

void PeerBook::hearsay(NodeId peer, std::uint64_t limit, Tokens free, base::TimePoint now) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) {
    return;
  }
  const auto known = found->second.free.find(limit);
  if (known == found->second.free.end() || now - known->second.at > kFirstHand) {
    free_tokens(peer, limit, free, now);
  }
}

void PeerBook::credit(NodeId peer, std::uint64_t limit, bucket::Permille rank) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) {
    return;
  }
  auto& credits = found->second.credits;
  if (rank == 0) {
    credits.erase(limit);
  } else if (credits.size() < kMaxLimitsPerPeer || credits.contains(limit)) {
    credits[limit] = std::clamp(rank, -1000, 1000);
  }
}

bucket::Permille PeerBook::credit_of(NodeId peer, std::uint64_t limit) const {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) {
    return 0;
  }
  const auto credit = found->second.credits.find(limit);
  return credit == found->second.credits.end() ? 0 : credit->second;
}

void PeerBook::pressed(NodeId peer, bool is) {
  if (const auto found = peers_.find(peer); found != peers_.end()) {
    found->second.pressed = is;
  }
}

void PeerBook::lent(NodeId peer, Tokens amount) {
  if (const auto found = peers_.find(peer); found != peers_.end()) {
    found->second.traded.lent += amount;
  }
}

void PeerBook::borrowed(NodeId peer, Tokens amount) {
  if (const auto found = peers_.find(peer); found != peers_.end()) {
    found->second.traded.borrowed += amount;
  }
}

PeerBook::Traded PeerBook::traded(NodeId peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? Traded{} : found->second.traded;
}

void PeerBook::answered(NodeId peer, base::Duration rtt, base::TimePoint now) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) {
    return;
  }
  // Jacobson, Karels 1988: gains 1/8 and 1/4.
  Peer& one = found->second;
  const base::Duration error = rtt - one.rtt;
  one.rtt += error / 8;
  one.deviation += ((error < base::Duration::zero() ? -error : error) - one.deviation) / 4;
  one.breaker.succeeded(rtt, now);
}

void PeerBook::failed(NodeId peer, base::TimePoint now) {
  if (const auto found = peers_.find(peer); found != peers_.end()) {
    found->second.breaker.failed(now);
  }
}

std::vector<bucket::Candidate> PeerBook::candidates(std::uint64_t limit, Tokens presumed,
                                                    base::TimePoint now) const {
  std::vector<bucket::Candidate> list;
  list.reserve(peers_.size());
  for (const auto& [id, peer] : peers_) {
    bucket::Candidate one{
        .id = id,
        .rtt = peer.rtt,
        .same_zone = peer.where.zone == home_.zone,
        .same_region = peer.where.region == home_.region,
        .credit = credit_of(id, limit) + (peer.pressed ? kPressedCredit : 0),
        .breaker_closed = peer.breaker.state(now) != bucket::Breaker::State::kOpen};
    const auto known = peer.free.find(limit);
    if (known == peer.free.end() || now - known->second.at >= bucket::kDigestAgeMax) {
      one.free = presumed;
      one.age = base::Duration::zero();
    } else {
      one.free = known->second.tokens;
      one.age = now - known->second.at;
    }
    list.push_back(one);
  }
  return list;
}

Tokens PeerBook::free_together(std::uint64_t limit, Rate rate, base::TimePoint now,
                               base::TimePoint until) const {
  constexpr Tokens kMost = Tokens::micro(Tokens::kMaxMicro);
  Tokens sum;
  base::TimePoint said = until;  // the oldest of what is known
  for (const auto& [id, peer] : peers_) {
    if (peer.breaker.state(now) == bucket::Breaker::State::kOpen) {
      continue;
    }
    const auto known = peer.free.find(limit);
    if (known == peer.free.end() || now - known->second.at >= bucket::kDigestAgeMax) {
      return kMost;
    }
    said = std::min(said, known->second.at);
    sum = std::min(kMost, sum + std::clamp(known->second.tokens, Tokens{}, kMost));
  }
  return std::min(kMost, sum + rate.over(until - said));
}

std::vector<Lender> PeerBook::top_lenders(std::uint64_t limit, NodeId except,
                                          base::TimePoint now) const {
  std::vector<Lender> top;
  for (const auto& [id, peer] : peers_) {
    const auto known = peer.free.find(limit);
    if (id != except && known != peer.free.end() && known->second.tokens > Tokens{} &&
        now - known->second.at <= bucket::kDigestAgeMax) {
      top.push_back({.node = id, .free = known->second.tokens});
    }
  }
  std::sort(top.begin(), top.end(), [](const Lender& a, const Lender& b) {
    return a.free != b.free ? a.free > b.free : a.node < b.node;
  });
  top.resize(std::min(top.size(), kTopLenders));
  return top;
}

base::Duration PeerBook::rtt_p99() const {
  base::Duration most = kRttMin;
  for (const auto& [id, peer] : peers_) {
    if (peer.breaker.closed()) {
      most = std::max(most, peer.rtt + 3 * peer.deviation);
    }
  }
  return std::min(most, kRttMax);
}

bool PeerBook::admit(NodeId peer, base::TimePoint now) {
  const auto found = peers_.find(peer);
  return found != peers_.end() && found->second.breaker.allow(now);
}

PeerBook::Peer::Peer() : breaker(kTimeout) {}

}  // namespace brigade::node
