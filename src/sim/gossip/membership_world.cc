#include "sim/gossip/membership_world.h"

#include <algorithm>

#include "base/check.h"

namespace brigade::sim {

using gossip::MemberState;

MembershipWorld::MembershipWorld(std::uint64_t seed, gossip::Config config)
    : config_(config), dice_(seed) {}

std::size_t MembershipWorld::add(gossip::ClusterId cluster) {
  const std::size_t number = machines_.size();
  Machine machine;
  machine.home = cluster;
  machine.identity.cluster = cluster;
  machine.identity.cluster_name = "c" + std::to_string(cluster.low);
  machine.identity.id = gossip::NodeId(100 + number);
  machine.identity.name = "n" + std::to_string(number);
  machine.identity.address = "10.0.0." + std::to_string(number) + ":7420";
  machines_.push_back(std::move(machine));
  return number;
}

void MembershipWorld::set_seeds(std::size_t machine, const std::vector<std::size_t>& seeds) {
  machines_[machine].seeds = seeds;
}

void MembershipWorld::make_newcomer(std::size_t machine) {
  machines_[machine].identity.cluster = {};
}

void MembershipWorld::wipe(std::size_t machine) {
  BRIGADE_CHECK(!running(machine));
  Machine& wiped = machines_[machine];
  ++wiped.wipes;
  wiped.starts = 0;
  wiped.identity.id = gossip::NodeId(100 + machine + 1000 * std::uint64_t{wiped.wipes});
  wiped.identity.cluster = {};
}

void MembershipWorld::start(std::size_t machine) {
  BRIGADE_CHECK(!running(machine));
  Machine& started = machines_[machine];
  started.identity.incarnation = gossip::Incarnation::of_start(++started.starts);
  started.paused = false;
  started.waiting.clear();
  started.wake = base::kNever;
  started.incarnations.clear();
  started.digests.clear();
  started.core =
      std::make_unique<gossip::Core>(config_, started.identity, base::Prng(dice_.next()), now_);
  gossip::Join join;
  for (const std::size_t seed : started.seeds) {
    join.seeds.push_back(address(seed));
  }
  step(machine, join);
}

void MembershipWorld::crash(std::size_t machine) {
  machines_[machine].core.reset();
}

void MembershipWorld::pause(std::size_t machine) {
  machines_[machine].paused = true;
}

void MembershipWorld::resume(std::size_t machine) {
  Machine& resumed = machines_[machine];
  resumed.paused = false;
  std::vector<gossip::Input> waiting = std::exchange(resumed.waiting, {});
  if (!running(machine)) {
    return;
  }
  step(machine, gossip::Timeout{});
  for (const gossip::Input& input : waiting) {
    step(machine, input);
  }
}

void MembershipWorld::cut(std::size_t from, std::size_t to, bool datagrams_only) {
  cuts_[{from, to}] = datagrams_only;
}

bool MembershipWorld::running(std::size_t machine) const {
  return machines_[machine].core != nullptr;
}

gossip::Core& MembershipWorld::core(std::size_t machine) {
  BRIGADE_CHECK(running(machine));
  return *machines_[machine].core;
}

gossip::NodeId MembershipWorld::id(std::size_t machine) const {
  return machines_[machine].identity.id;
}

std::string MembershipWorld::address(std::size_t machine) const {
  return machines_[machine].identity.address;
}

std::optional<MemberState> MembershipWorld::state(std::size_t observer, std::size_t subject) {
  const gossip::Member* member = core(observer).find(id(subject));
  return member == nullptr ? std::nullopt : std::optional(member->state);
}

bool MembershipWorld::converged() {
  return disagreement().empty();
}

std::string MembershipWorld::disagreement() {
  for (std::size_t observer = 0; observer < size(); ++observer) {
    if (!running(observer)) {
      continue;
    }
    for (std::size_t subject = 0; subject < size(); ++subject) {
      const bool together = machines_[observer].home == machines_[subject].home;
      const bool expected = running(subject) && together;
      const auto held = state(observer, subject);
      const bool right =
          expected ? held == MemberState::kAlive : !held || *held > MemberState::kSuspect;
      if (!right) {
        return machines_[observer].identity.name + " holds " + machines_[subject].identity.name +
               " in state " + (held ? std::to_string(static_cast<int>(*held)) : "unknown");
      }
    }
  }
  return {};
}

// ---- events ----

void MembershipWorld::at(TimePoint when, std::function<void()> act) {
  events_.push(Event{when, ++order_, std::move(act)});
}

void MembershipWorld::run_for(Duration span) {
  const TimePoint end = now_ + span;
  while (broken_.empty() && !events_.empty() && events_.top().at <= end) {
    const Event event = events_.top();
    events_.pop();
    now_ = event.at;
    event.act();
  }
  now_ = std::max(now_, end);
}

void MembershipWorld::step(std::size_t machine, const gossip::Input& input) {
  gossip::Actions actions;
  core(machine).step(input, now_, actions);
  mix(machine);
  mix(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  mix(input.index());
  for (const gossip::Action& action : actions) {
    mix(action.index());
    if (watch_) {
      watch_(machine, action);
    }
    perform(machine, action);
  }
  check(machine);
  arm(machine);
}

void MembershipWorld::arrive(std::size_t machine, gossip::Input input) {
  Machine& receiver = machines_[machine];
  if (receiver.core == nullptr) {
    return;
  }
  if (!receiver.paused) {
    step(machine, input);
  } else if (receiver.waiting.size() < 1000) {
    receiver.waiting.push_back(std::move(input));
  }
}

void MembershipWorld::arm(std::size_t machine) {
  Machine& armed = machines_[machine];
  const TimePoint due = armed.core->next_deadline();
  if (due == base::kNever || due == armed.wake) {
    return;
  }
  armed.wake = due;
  const std::uint32_t life = armed.starts;
  at(std::max(due, now_), [this, machine, life, due] {
    Machine& woken = machines_[machine];
    if (woken.core != nullptr && !woken.paused && woken.starts == life && woken.wake == due) {
      woken.wake = base::kNever;
      step(machine, gossip::Timeout{});
    }
  });
}

void MembershipWorld::perform(std::size_t machine, const gossip::Action& action) {
  if (const auto* datagram = std::get_if<gossip::SendDatagram>(&action)) {
    send(machine, *datagram);
  } else if (const auto* stream = std::get_if<gossip::SendStream>(&action)) {
    open(machine, *stream);
  } else if (const auto* reply = std::get_if<gossip::AnswerStream>(&action)) {
    answer(machine, *reply);
  } else if (const auto* joined = std::get_if<gossip::Joined>(&action)) {
    machines_[machine].identity.cluster = joined->cluster;
  }
}

Duration MembershipWorld::delay() {
  return dice_.between(faults_.delay_min, faults_.delay_max);
}

std::size_t MembershipWorld::at_address(const std::string& address) const {
  const auto found = std::find_if(machines_.begin(), machines_.end(),
                                  [&](const Machine& m) { return m.identity.address == address; });
  return found == machines_.end() ? kNobody : static_cast<std::size_t>(found - machines_.begin());
}

bool MembershipWorld::passes(std::size_t from, std::size_t to, bool stream) const {
  const auto found = cuts_.find({from, to});
  return found == cuts_.end() || (stream && found->second);
}

void MembershipWorld::send(std::size_t from, const gossip::SendDatagram& action) {
  if (gossip::size_bound(action.datagram) > config_.datagram_bytes) {
    fail(machines_[from].identity.name + " sent a datagram larger than its budget");
  }
  const std::size_t to = at_address(action.address);
  if (to == kNobody || !passes(from, to, false) || dice_.chance(faults_.loss_permille, 1000)) {
    return;
  }
  const int copies = dice_.chance(faults_.double_permille, 1000) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    const bool slow = dice_.chance(faults_.slow_permille, 1000);
    const Duration late = slow ? dice_.between(Duration{0}, faults_.slow_max) : delay();
    at(now_ + late, [this, to, sent = action.datagram, source = address(from)] {
      arrive(to, gossip::DatagramReceived{source, sent});
    });
  }
}

void MembershipWorld::open(std::size_t from, const gossip::SendStream& action) {
  const std::size_t to = at_address(action.address);
  const std::uint32_t life = machines_[from].starts;
  const bool reaches = to != kNobody && passes(from, to, true) && passes(to, from, true);
  if (!reaches) {
    return;  // silence; the core's own timeout ends it
  }
  at(now_ + delay(), [this, from, to, life, action] {
    if (!running(to)) {
      at(now_ + delay(), [this, from, life, id = action.exchange] {
        if (machines_[from].starts == life) {
          arrive(from, gossip::StreamFailed{id});
        }
      });
      return;
    }
    const gossip::RequestToken token(++last_token_);
    calls_[token] = Call{from, life, action.exchange};
    arrive(to, gossip::StreamRequested{token, action.message});
  });
}

void MembershipWorld::answer(std::size_t from, const gossip::AnswerStream& action) {
  const auto found = calls_.find(action.token);
  if (found == calls_.end()) {
    fail("a request was answered twice");
    return;
  }
  const Call call = found->second;
  calls_.erase(found);
  if (!passes(from, call.caller, true)) {
    return;
  }
  at(now_ + delay(), [this, call, reply = action.message] {
    if (machines_[call.caller].starts == call.caller_start) {
      arrive(call.caller, gossip::StreamAnswered{call.exchange, reply});
    }
  });
}

// ---- checks ----

void MembershipWorld::fail(std::string why) {
  if (broken_.empty()) {
    broken_ = std::move(why);
  }
}

void MembershipWorld::mix(std::uint64_t value) {
  hash_ = (hash_ ^ value) * 1099511628211U;
}

void MembershipWorld::check(std::size_t machine) {
  Machine& checked = machines_[machine];
  checked.core->check_invariants();
  const std::string& observer = checked.identity.name;
  for (const gossip::Member& member : checked.core->members()) {
    gossip::Incarnation& seen = checked.incarnations[member.id];
    if (member.incarnation < seen) {
      fail(observer + " went back to an older incarnation of " + member.name);
    }
    seen = member.incarnation;
    const std::size_t truly = at_address(member.address);
    if (truly != kNobody && machines_[truly].home != checked.home) {
      fail(observer + " took " + member.name + " of another cluster for a member");
    }
    const auto digest = checked.core->digest(member.id);
    if (digest) {
      const std::pair now_held{digest->incarnation, digest->version};
      auto& held = checked.digests[member.id];
      if (now_held < held) {
        fail(observer + " went back to an older digest of " + member.name);
      }
      held = now_held;
    }
  }
}

}  // namespace brigade::sim
