#include "app/front_desk.h"

#include <utility>

namespace brigade::app {
namespace {

// CL.THROTTLE's implicit limits are counted under one name: their keys are the clients' choice.
constexpr const char* kThrottleLimit = "cl.throttle";

node::Decision no_node() {
  return {.verdict = node::Verdict::kNoRights};
}

// Take, then read the clock: what died with its session meanwhile is not given out.
void check_still_valid(node::Decision& decision, base::TimePoint fast) {
  if (decision.admitted() && fast >= decision.valid_until) {
    decision.verdict = node::Verdict::kNoRights;
  }
}

}  // namespace

FrontDesk::FrontDesk(host::Clock& clock, FrontDeskCalls calls)
    : clock_(clock), calls_(std::move(calls)) {}

void FrontDesk::serve(node::Node& node, ProcessFacts facts) {
  node_ = &node;
  facts_ = std::move(facts);
}

// ---- requests ----

void FrontDesk::begin_batch() {
  in_batch_ = true;
  last_ = clock_.now();
  batch_arrived_ = last_.slow;
}

FrontDesk::Visit FrontDesk::visit(api::Door door, api::Waiter& waiter, std::uint64_t token) {
  if (!in_batch_) {
    last_ = clock_.now();
  }
  return {.door = door,
          .waiter = waiter,
          .token = token,
          .ticket = next_ticket_++,
          .arrived = in_batch_ ? batch_arrived_ : last_.slow,
          .now = last_};
}

template <class Limits>
void FrontDesk::count(api::Door door, const node::Decision& decision, base::Duration took,
                      std::size_t parts, const Limits& limits) {
  if (decision.each.size() == parts && parts > 0) {
    for (std::size_t i = 0; i < parts; ++i) {
      metrics_.decided(door, limits(i), decision.each[i], took);
    }
  } else {
    metrics_.decided(door, decision.refused_by < parts ? limits(decision.refused_by) : "", decision,
                     took);
  }
}

template <class Limits>
void FrontDesk::park(const Visit& visit, std::size_t parts, const Limits& limits) {
  Waiting waiting{.waiter = &visit.waiter,
                  .token = visit.token,
                  .door = visit.door,
                  .limits = {},
                  .arrived = visit.arrived};
  for (std::size_t i = 0; i < parts; ++i) {
    waiting.limits.emplace_back(limits(i));
  }
  waiting_.emplace(visit.ticket, std::move(waiting));
  tickets_[&visit.waiter].insert(visit.ticket);
  calls_.touch();
}

template <class Decide, class Limits>
std::optional<node::Decision> FrontDesk::decide(const Visit& visit, std::size_t parts,
                                                const Limits& limits, const Decide& by) {
  std::optional<node::Decision> decision = by(visit);
  if (decision) {
    last_ = clock_.now();
    calls_.glance(last_.slow);
    check_still_valid(*decision, last_.fast);
    count(visit.door, *decision, last_.slow - visit.arrived, parts, limits);
  } else {
    park(visit, parts, limits);
  }
  return decision;
}

std::optional<node::Decision> FrontDesk::acquire(api::Door door,
                                                 const node::AcquireRequest& request,
                                                 api::Waiter& waiter, std::uint64_t token) {
  if (node_ == nullptr) {
    return no_node();
  }
  return decide(
      visit(door, waiter, token), 1, [&](std::size_t) { return request.limit; },
      [&](const Visit& one) { return node_->acquire(request, one.ticket, one.now); });
}

std::optional<node::Decision> FrontDesk::acquire_all(api::Door door,
                                                     std::span<const node::AcquireRequest> requests,
                                                     api::Waiter& waiter, std::uint64_t token) {
  if (node_ == nullptr) {
    return no_node();
  }
  return decide(
      visit(door, waiter, token), requests.size(), [&](std::size_t i) { return requests[i].limit; },
      [&](const Visit& one) { return node_->acquire_all(requests, one.ticket, one.now); });
}

std::optional<node::Decision> FrontDesk::throttle(api::Door door,
                                                  const node::ThrottleRequest& request,
                                                  api::Waiter& waiter, std::uint64_t token) {
  if (node_ == nullptr) {
    return no_node();
  }
  return decide(
      visit(door, waiter, token), 1, [](std::size_t) { return std::string_view(kThrottleLimit); },
      [&](const Visit& one) { return node_->throttle(request, one.ticket, one.now); });
}

std::optional<node::SettleReply> FrontDesk::settle(const node::ReservationId& id,
                                                   node::Tokens actual, api::Waiter& waiter,
                                                   std::uint64_t token) {
  if (node_ == nullptr) {
    return node::SettleReply{};
  }
  calls_.touch();
  const node::Ticket ticket = next_ticket_++;
  auto reply = node_->settle_reservation(id, actual, ticket, clock_.now());
  if (!reply) {
    waiting_.emplace(ticket, Waiting{.waiter = &waiter, .token = token, .limits = {}});
    tickets_[&waiter].insert(ticket);
  }
  return reply;
}

std::optional<FrontDesk::Waiting> FrontDesk::end_wait(node::Ticket ticket) {
  auto found = waiting_.extract(ticket);
  if (!found) {
    return std::nullopt;
  }
  const auto tickets = tickets_.find(found.mapped().waiter);
  tickets->second.erase(ticket);
  if (tickets->second.empty()) {
    tickets_.erase(tickets);
  }
  return std::move(found.mapped());
}

void FrontDesk::deliver(const std::vector<node::SettleAnswer>& answers) {
  for (const node::SettleAnswer& answer : answers) {
    if (const auto waiting = end_wait(answer.ticket)) {
      waiting->waiter->settled(waiting->token, answer.reply);
    }
  }
}

void FrontDesk::deliver(std::vector<node::Answer>& answers) {
  for (node::Answer& answer : answers) {
    const auto ended = end_wait(answer.ticket);
    if (!ended) {
      continue;
    }
    const Waiting& waiting = *ended;
    const base::Instant now = clock_.now();
    check_still_valid(answer.decision, now.fast);
    count(waiting.door, answer.decision, now.slow - waiting.arrived, waiting.limits.size(),
          [&](std::size_t i) { return std::string_view(waiting.limits[i]); });
    waiting.waiter->decided(waiting.token, answer.decision);
  }
}

void FrontDesk::abandon(api::Waiter& waiter) {
  auto found = tickets_.extract(&waiter);
  if (!found) {
    return;
  }
  for (const node::Ticket ticket : found.mapped()) {
    waiting_.erase(ticket);
    node_->abandon(ticket, clock_.now());
  }
  calls_.touch();
}

// ---- control ----

void FrontDesk::admin(const node::AdminRequest& request,
                      std::function<void(const node::AdminReply&)> answer) {
  const node::Ticket ticket = next_ticket_++;
  admins_.emplace(ticket, std::move(answer));
  if (node_ != nullptr) {
    node_->admin(request, ticket, clock_.now());
  } else {
    early_.push_back(
        {.ticket = ticket,
         .reply = node::Refusal{.kind = node::Refusal::Kind::kUnavailable,
                                .message = "not a member of a cluster yet: " + reason_}});
  }
  calls_.touch();
}

void FrontDesk::deliver_early() {
  deliver(std::exchange(early_, {}));
}

void FrontDesk::deliver(const std::vector<node::AdminAnswer>& answers) {
  for (const node::AdminAnswer& answer : answers) {
    auto found = admins_.extract(answer.ticket);
    if (!found) {
      continue;
    }
    if (const auto* status = std::get_if<node::StatusView>(&answer.reply)) {
      node::StatusView view = *status;
      view.version = facts_.version;
      view.cluster_id = facts_.cluster;
      view.cluster_name = facts_.cluster_name;
      found.mapped()(std::move(view));
    } else {
      found.mapped()(answer.reply);
    }
  }
}

bool FrontDesk::ready() const {
  return node_ != nullptr && node_->ready(clock_.now());
}

std::string FrontDesk::not_ready_because() const {
  return node_ == nullptr ? reason_ : node_->not_ready_because(clock_.now());
}

void FrontDesk::forget_deleted() {
  metrics_.forget([&](std::string_view limit) {
    return limit != kThrottleLimit && !node_->limits().contains(std::string(limit));
  });
}

std::string FrontDesk::metrics() const {
  return metrics_.text(calls_.sampled());
}

}  // namespace brigade::app
