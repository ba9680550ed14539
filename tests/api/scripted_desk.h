// A desk that answers what the test says and remembers what it was asked.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "api/desk.h"

namespace brigade::api {

class ScriptedDesk final : public Desk {
 public:
  struct Asked {
    std::string limit;
    std::string key;
    std::string priority;
    std::string id;
    node::Tokens cost;
    node::Duration wait{0};
    bool reserve = false;
    Door door = Door::kRedis;
  };
  struct Waiting {
    Waiter* waiter = nullptr;
    std::uint64_t token = 0;
  };

  std::optional<node::Decision> next;                              // nullopt: park
  std::optional<node::SettleReply> settled = node::SettleReply{};  // nullopt: park
  node::AdminReply reply = node::Done{};
  bool answer_admin = true;
  bool is_ready = true;

  std::vector<Asked> asked;
  std::vector<Waiting> parked;
  std::vector<Waiter*> abandoned;
  std::vector<std::pair<node::ReservationId, node::Tokens>> settles;
  std::vector<node::AdminRequest> admins;
  std::vector<std::function<void(const node::AdminReply&)>> unanswered;

  std::optional<node::Decision> acquire(Door door, const node::AcquireRequest& request,
                                        Waiter& waiter, std::uint64_t token) override {
    note(door, request);
    return decide(waiter, token);
  }
  std::optional<node::Decision> acquire_all(Door door,
                                            std::span<const node::AcquireRequest> requests,
                                            Waiter& waiter, std::uint64_t token) override {
    for (const node::AcquireRequest& request : requests) {
      note(door, request);
    }
    return decide(waiter, token);
  }
  std::optional<node::Decision> throttle(Door, const node::ThrottleRequest&, Waiter& waiter,
                                         std::uint64_t token) override {
    return decide(waiter, token);
  }
  std::optional<node::SettleReply> settle(const node::ReservationId& id, node::Tokens actual,
                                          Waiter& waiter, std::uint64_t token) override {
    settles.emplace_back(id, actual);
    if (!settled) {
      parked.push_back({.waiter = &waiter, .token = token});
    }
    return settled;
  }
  void abandon(Waiter& waiter) override {
    abandoned.push_back(&waiter);
    std::erase_if(parked, [&](const Waiting& one) { return one.waiter == &waiter; });
  }
  void admin(const node::AdminRequest& request,
             std::function<void(const node::AdminReply&)> answer) override {
    admins.push_back(request);
    if (answer_admin) {
      answer(reply);
    } else {
      unanswered.push_back(std::move(answer));
    }
  }
  bool ready() const override { return is_ready; }
  std::string not_ready_because() const override { return is_ready ? "" : "shard 3 has no leader"; }
  std::string metrics() const override { return "brigade_up 1\n"; }

 private:
  void note(Door door, const node::AcquireRequest& request) {
    asked.push_back({.limit = std::string(request.limit),
                     .key = std::string(request.key),
                     .priority = std::string(request.priority),
                     .id = std::string(request.id),
                     .cost = request.cost,
                     .wait = request.wait,
                     .reserve = request.reserve,
                     .door = door});
  }
  std::optional<node::Decision> decide(Waiter& waiter, std::uint64_t token) {
    if (!next) {
      parked.push_back({.waiter = &waiter, .token = token});
    }
    return next;
  }
};

}  // namespace brigade::api
