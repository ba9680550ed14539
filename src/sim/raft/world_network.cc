// Messages on their way; and that nothing promises what its sender's disk does not hold.
#include <algorithm>
#include <utility>

#include "sim/raft/machine.h"

namespace brigade::sim {
namespace {

constexpr Duration kStreamed = base::milliseconds(20);

}  // namespace

void RaftWorld::check_promise(const Machine& from, const raft::Message& message) {
  const raft::HardState& hard = from.disk.hard();
  if (const auto* vote = std::get_if<raft::VoteReply>(&message.body)) {
    if (vote->pre || vote->reject) {
      return;
    }
    chronicle_->voted(from.id, message.term, message.to);
    const bool kept =
        hard.term > message.term || (hard.term == message.term && hard.vote == message.to);
    if (!kept) {
      chronicle_->fail("a vote left before it was durable");
    }
  } else if (const auto* reply = std::get_if<raft::AppendReply>(&message.body)) {
    // In a later term the same disk may have truncated them again, in the same write.
    const bool kept =
        hard.term > message.term || (hard.term == message.term && from.disk.last() >= reply->index);
    if (!reply->reject && reply->index != raft::Index() && !kept) {
      chronicle_->fail("entries were acknowledged before they were durable");
    }
  }
}

void RaftWorld::send(Machine& from, const raft::Message& message) {
  mix(message.to.value() ^ (message.body.index() << 8U) ^ (message.term.value() << 16U));
  check_promise(from, message);
  if (message.to == from.id) {
    from.core->step(message, now_);
    return;
  }
  Machine* to = machine_of(message.to);
  if (to == nullptr) {
    return;
  }
  const RaftFaults& faults = setup_.faults;
  const bool cut = faulty_ && (to->deaf_to & (std::uint64_t{1} << from.number)) != 0;
  const bool lost = cut || (faulty_ && dice_.below(1000) < faults.loss_permille);
  if (setup_.report_snapshots && std::holds_alternative<raft::InstallSnapshot>(message.body)) {
    // A driver that streams snapshots learns how that ended.
    call(now_ + kStreamed,
         [this, &from, replica = message.to, life = from.life, delivered = !lost] {
           when_awake(from, life, [this, &from, replica, delivered] {
             step(from, raft::SnapshotSent{.replica = replica, .delivered = delivered});
           });
         });
  }
  if (lost) {
    return;
  }
  const int copies = faulty_ && dice_.below(1000) < faults.double_permille ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    const bool slow = faulty_ && dice_.below(1000) < faults.slow_permille;
    const Duration delay = faults.delay_min + some(slow ? faults.slow_max : faults.delay_max);
    std::uint32_t slot = 0;
    if (free_letters_.empty()) {
      slot = static_cast<std::uint32_t>(letters_.size());
      letters_.push_back(message);
    } else {
      slot = free_letters_.back();
      free_letters_.pop_back();
      letters_[slot] = message;
    }
    push(now_ + delay, {.kind = Kind::kDeliver, .machine = to->number, .slot = slot, .life = 0});
  }
}

void RaftWorld::deliver(const Event& event) {
  Machine& to = *machines_[event.machine];
  if (to.core && !awake(to)) {
    push(to.paused_until, event);  // it waits in the socket
    return;
  }
  const raft::Message message = std::move(letters_[event.slot]);
  free_letters_.push_back(event.slot);
  if (to.core) {
    step(to, message);
  }
}

}  // namespace brigade::sim
