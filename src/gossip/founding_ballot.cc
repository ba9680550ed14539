// The ballot: proposer and acceptor.
#include <algorithm>

#include "gossip/founding.h"

namespace brigade::gossip {
namespace {

constexpr std::uint32_t kDoublings = 4;

}  // namespace

// ---- acceptor ----

void Founding::on(const Founder& from, const Prepare& prepare, TimePoint now,
                  FoundingActions& out) {
  highest_round_ = std::max(highest_round_, prepare.ballot.round);
  if (member()) {
    send(from.address, who_i_am(), out);
    return;
  }
  if (prepare.ballot < record_.promised && config_.plant != FoundingPlant::kPromisesTwice) {
    send(from.address, Outbid{record_.promised}, out);
    return;
  }
  record_.promised = prepare.ballot;
  yield(now);
  persist(Pending::kVote,
          {to(from.address, Promise{.ballot = prepare.ballot, .accepted = record_.accepted})}, out);
}

void Founding::on(const Founder& from, const Accept& accept, TimePoint now, FoundingActions& out) {
  const Ballot& ballot = accept.vote.ballot;
  highest_round_ = std::max(highest_round_, ballot.round);
  if (member()) {
    send(from.address, who_i_am(), out);
    return;
  }
  if (ballot < record_.promised && config_.plant != FoundingPlant::kPromisesTwice) {
    send(from.address, Outbid{record_.promised}, out);
    return;
  }
  const auto& founders = accept.vote.charter.founders;
  if (std::none_of(founders.begin(), founders.end(),
                   [&](const Founder& one) { return one.id == config_.self.id; })) {
    return;
  }
  record_.promised = ballot;
  record_.accepted = accept.vote;
  yield(now);
  persist(Pending::kVote, {to(from.address, Accepted{ballot})}, out);
}

// Somebody else's ballot is under way: ours gives way for as long as it may take.
void Founding::yield(TimePoint now) {
  round_.reset();
  propose_at_ = now + back_off();
}

// ---- proposer ----

Duration Founding::back_off() {
  const auto all = founders();
  const auto self = std::find_if(all.begin(), all.end(), [this](const Founder& founder) {
    return founder.id == config_.self.id;
  });
  const auto rank = std::min<std::ptrdiff_t>(self - all.begin(), 8);
  const Duration base = config_.patience * (1 + rank);
  const Duration stretched = base * (1 << std::min(lost_rounds_, kDoublings));
  return stretched + dice_.between(Duration::zero(), config_.patience);
}

void Founding::consider_proposing(TimePoint now, FoundingActions& out) {
  if (!founder_ || round_) {
    return;
  }
  const auto all = founders();
  if (all.size() < wanted()) {
    propose_at_ = base::kNever;
    if (unanswered().empty()) {
      refuse(FoundingObstacle::kTooFewFounders, config_.self.address, out);
    }
    return;
  }
  if (propose_at_ == base::kNever) {
    // The founder with the lowest id begins; the others only if it does not.
    const auto self = std::find_if(all.begin(), all.end(), [this](const Founder& founder) {
      return founder.id == config_.self.id;
    });
    propose_at_ = now + config_.patience * (self - all.begin());
  }
  if (now >= propose_at_) {
    propose(now, out);
  }
}

void Founding::propose(TimePoint now, FoundingActions& out) {
  Round round{.ballot = {.round = std::max(highest_round_, record_.promised.round) + 1,
                         .proposer = config_.self.id},
              .charter = {.cluster = {dice_.next(), dice_.next()},
                          .cluster_name = config_.cluster_name,
                          .founders = founders(),
                          .settings = config_.settings},
              .deadline = now + 2 * back_off()};
  for (const Founder& founder : round.charter.founders) {
    round.needed.emplace(founder.id, founder);
  }
  highest_round_ = round.ballot.round;
  record_.promised = round.ballot;
  std::vector<SendFounding> then;
  for (const auto& [id, founder] : round.needed) {
    if (id != config_.self.id) {
      then.push_back(to(founder.address, Prepare{round.ballot}));
    }
  }
  round_ = std::move(round);
  persist(Pending::kOwnPromise, std::move(then), out);
}

// Messages may be lost: whoever has not answered is asked again.
void Founding::repeat_round(FoundingActions& out) const {
  if (!round_ || !round_->answered.contains(config_.self.id)) {
    return;
  }
  for (const auto& [id, founder] : round_->needed) {
    if (!round_->answered.contains(id)) {
      if (round_->proposing) {
        send(founder.address, Accept{{.ballot = round_->ballot, .charter = round_->charter}}, out);
      } else {
        send(founder.address, Prepare{round_->ballot}, out);
      }
    }
  }
}

void Founding::on(const Founder& from, const Promise& promise, TimePoint, FoundingActions& out) {
  if (round_ && !round_->proposing && promise.ballot == round_->ballot &&
      round_->needed.contains(from.id)) {
    promised_by(from, promise.accepted, out);
  }
}

void Founding::promised_by(const Founder& from, const std::optional<Vote>& accepted,
                           FoundingActions& out) {
  Round& round = *round_;
  round.answered.insert(from.id);
  if (accepted && (!round.highest || round.highest->ballot < accepted->ballot) &&
      config_.plant != FoundingPlant::kIgnoresAccepted) {
    round.highest = accepted;
    // Whoever founds what may have been chosen already must promise as well.
    for (const Founder& founder : accepted->charter.founders) {
      if (round.needed.emplace(founder.id, founder).second) {
        send(founder.address, Prepare{round.ballot}, out);
      }
    }
  }
  const bool majority = config_.plant == FoundingPlant::kMajorityIsEnough &&
                        2 * round.answered.size() > round.needed.size();
  if (round.answered.size() == round.needed.size() || majority) {
    begin_phase_two(out);
  }
}

void Founding::begin_phase_two(FoundingActions& out) {
  Round& round = *round_;
  if (round.highest) {
    round.charter = round.highest->charter;
  }
  round.proposing = true;
  round.answered.clear();
  round.needed.clear();
  for (const Founder& founder : round.charter.founders) {
    round.needed.emplace(founder.id, founder);
  }
  if (!round.needed.contains(config_.self.id)) {
    propose_at_ = round.deadline;  // others' cluster: theirs to finish
    round_.reset();
    return;
  }
  record_.accepted = Vote{.ballot = round.ballot, .charter = round.charter};
  std::vector<SendFounding> then;
  for (const auto& [id, founder] : round.needed) {
    if (id != config_.self.id) {
      then.push_back(to(founder.address, Accept{*record_.accepted}));
    }
  }
  persist(Pending::kOwnVote, std::move(then), out);
}

void Founding::on(const Founder& from, const Accepted& accepted, TimePoint, FoundingActions& out) {
  if (round_ && round_->proposing && accepted.ballot == round_->ballot &&
      round_->needed.contains(from.id)) {
    voted_by(from.id, out);
  }
}

void Founding::voted_by(NodeId from, FoundingActions& out) {
  Round& round = *round_;
  round.answered.insert(from);
  const bool majority = config_.plant == FoundingPlant::kMajorityIsEnough &&
                        2 * round.answered.size() > round.needed.size();
  if (round.answered.size() == round.needed.size() || majority) {
    const Charter charter = round.charter;
    decide(charter, out);
  }
}

void Founding::on(const Founder&, const Outbid& outbid, TimePoint now, FoundingActions&) {
  highest_round_ = std::max(highest_round_, outbid.promised.round);
  if (round_ && round_->ballot < outbid.promised) {
    ++lost_rounds_;
    yield(now);
  }
}

}  // namespace brigade::gossip
