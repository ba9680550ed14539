#include "bucket/waiting.h"

#include <algorithm>

#include "base/check.h"

namespace brigade::bucket {
namespace {

using base::TimePoint;
using base::Tokens;
using base::Wide;

// Virtual time passes in micro-tokens x 2^20 / weight, so that no weight loses precision.
Wide virtual_cost(Tokens cost, std::int64_t weight) {
  return static_cast<Wide>(cost.micro()) * (1 << 20) / weight;
}

}  // namespace

WaitingQueue::WaitingQueue(const std::vector<WaitingClass>& classes, std::size_t max_waiting)
    : max_waiting_(max_waiting) {
  BRIGADE_CHECK(!classes.empty());
  for (const WaitingClass& terms : classes) {
    BRIGADE_CHECK(terms.weight >= 1);
    lines_.push_back(Line{.terms = terms, .requests = {}});
  }
}

bool WaitingQueue::push(const Waiting& request) {
  BRIGADE_CHECK(request.priority < lines_.size());
  BRIGADE_CHECK(!index_.contains(request.ticket));
  if (index_.size() >= max_waiting_) {
    return false;
  }
  Line& line = lines_[request.priority];
  if (line.requests.empty()) {
    // An idle class saves up no turns.
    line.start = std::max(line.start, virtual_time_);
  }
  const std::uint64_t arrival = next_arrival_++;
  line.requests.emplace(arrival, request);
  index_.emplace(request.ticket, Place{.line = request.priority, .arrival = arrival});
  deadlines_.emplace(request.deadline, request.ticket);
  line.cost += request.cost.micro();
  cost_ += request.cost.micro();
  for_loan_ += request.for_loan ? 1 : 0;
  return true;
}

std::vector<std::size_t> WaitingQueue::turns() const {
  std::vector<std::size_t> turns;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (!lines_[i].requests.empty()) {
      turns.push_back(i);
    }
  }
  std::sort(turns.begin(), turns.end(), [this](std::size_t a, std::size_t b) {
    return lines_[a].start != lines_[b].start ? lines_[a].start < lines_[b].start : a < b;
  });
  return turns;
}

std::optional<Waiting> WaitingQueue::pop_ready(Tokens level) {
  std::optional<Tokens> smallest_floor_blocked;
  const std::vector<std::size_t> order = turns();
  for (const std::size_t i : order) {
    Line& line = lines_[i];
    if (smallest_floor_blocked && line.terms.floor >= *smallest_floor_blocked) {
      continue;
    }
    const Waiting first = line.requests.begin()->second;
    if (first.cost > Tokens{} && level - first.cost < line.terms.floor) {
      smallest_floor_blocked = line.terms.floor;
      continue;
    }
    virtual_time_ = std::max(virtual_time_, line.start);
    for (auto passed = order.begin(); *passed != i; ++passed) {
      lines_[*passed].start = std::max(lines_[*passed].start, line.start);
    }
    line.start += virtual_cost(first.cost, line.terms.weight);
    return remove(first.ticket);
  }
  return std::nullopt;
}

Waiting WaitingQueue::remove(Ticket ticket) {
  const auto found = index_.find(ticket);
  Line& line = lines_[found->second.line];
  const auto position = line.requests.find(found->second.arrival);
  const Waiting request = position->second;
  line.requests.erase(position);
  index_.erase(found);
  deadlines_.erase({request.deadline, ticket});
  line.cost -= request.cost.micro();
  cost_ -= request.cost.micro();
  for_loan_ -= request.for_loan ? 1 : 0;
  return request;
}

void WaitingQueue::expire(TimePoint now, std::vector<Waiting>& out) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    out.push_back(remove(deadlines_.begin()->second));
  }
}

void WaitingQueue::give_up_loans(Tokens reach, std::vector<Waiting>& out) {
  const std::size_t before = out.size();
  for (const Line& line : lines_) {
    for (const auto& [arrival, request] : line.requests) {
      if (request.for_loan && reach - request.cost < line.terms.floor) {
        out.push_back(request);
      }
    }
  }
  for (std::size_t i = before; i < out.size(); ++i) {
    remove(out[i].ticket);
  }
}

bool WaitingQueue::cancel(Ticket ticket) {
  if (!index_.contains(ticket)) {
    return false;
  }
  remove(ticket);
  return true;
}

void WaitingQueue::set_floors(std::span<const Tokens> floors) {
  BRIGADE_CHECK(floors.size() == lines_.size());
  for (std::size_t i = 0; i < floors.size(); ++i) {
    lines_[i].terms.floor = floors[i];
  }
}

Tokens WaitingQueue::bounded(Wide cost) {
  return Tokens::micro(static_cast<std::int64_t>(std::min<Wide>(cost, Tokens::kMaxMicro)));
}

Tokens WaitingQueue::cost() const {
  return bounded(cost_);
}

Tokens WaitingQueue::cost_up_to(Tokens floor) const {
  Wide cost = 0;
  for (const Line& line : lines_) {
    cost += line.terms.floor <= floor ? line.cost : 0;
  }
  return bounded(cost);
}

TimePoint WaitingQueue::next_deadline() const {
  return deadlines_.empty() ? base::kNever : deadlines_.begin()->first;
}

const Waiting* WaitingQueue::front() const {
  const std::vector<std::size_t> order = turns();
  return order.empty() ? nullptr : &lines_[order.front()].requests.begin()->second;
}

const Waiting* WaitingQueue::least_reserved() const {
  const std::vector<std::size_t> order = turns();
  const auto least = std::min_element(order.begin(), order.end(), [&](auto a, auto b) {
    return lines_[a].terms.floor < lines_[b].terms.floor;
  });
  return least == order.end() ? nullptr : &lines_[*least].requests.begin()->second;
}

void WaitingQueue::check_invariants() const {
  std::size_t count = 0;
  std::size_t for_loan = 0;
  Wide cost = 0;
  for (const Line& line : lines_) {
    count += line.requests.size();
    cost += line.cost;
    Wide of_line = 0;
    for (const auto& [arrival, request] : line.requests) {
      of_line += request.cost.micro();
      for_loan += request.for_loan ? 1 : 0;
      BRIGADE_CHECK(deadlines_.contains({request.deadline, request.ticket}));
      BRIGADE_CHECK(index_.contains(request.ticket));
    }
    BRIGADE_CHECK(of_line == line.cost);
  }
  BRIGADE_CHECK(count == index_.size());
  BRIGADE_CHECK(count == deadlines_.size());
  BRIGADE_CHECK(cost == cost_);
  BRIGADE_CHECK(for_loan == for_loan_);
  BRIGADE_CHECK(count <= max_waiting_);
}

}  // namespace brigade::bucket
