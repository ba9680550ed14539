// Sends the requests of a trace to nodes at their times, whatever the answers (an open loop), and
// keeps what became of each.
//
// Threads: one, inside run().
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include "app/replay/attempt.h"
#include "app/replay/node_link.h"
#include "app/replay/stopwatch.h"
#include "base/result.h"

namespace brigade::replay {

struct DriverPlan {
  std::vector<NodeTarget> nodes;
  std::string limit;
  bool with_keys = false;       // send each request's key
  std::size_t connections = 8;  // per node
  base::Duration answer_patience = base::seconds(5);
};

struct Progress {
  Duration now{0};
  std::size_t offered = 0;
  std::size_t admitted = 0;
  std::size_t refused = 0;
  std::size_t failed = 0;
};

class Driver final : private NodeLink::Listener {
 public:
  // What nodes answered with an error, by text; the texts beyond kErrorTexts are one.
  using ErrorTexts = std::map<std::string, std::uint64_t>;
  static constexpr std::size_t kErrorTexts = 16;

  // `keys` is what Attempt::key points into. `report` is called about once a second; may be empty.
  Driver(DriverPlan plan, const std::vector<std::string>& keys,
         std::function<void(const Progress&)> report);

  // Runs the attempts, by due time, and fills in what became of them. Errors: a node could not be
  // reached before the start. SIGINT ends the sending and waits for what is under way, a second one
  // does not wait; what was not sent by then stays kNotSent.
  base::Status run(std::vector<Attempt>& attempts);

  [[nodiscard]] bool interrupted() const { return interrupted_; }
  [[nodiscard]] const ErrorTexts& error_texts() const { return error_texts_; }

 private:
  // Attempts put in line before answers are looked at again.
  static constexpr std::size_t kBatch = 512;

  void answered(std::uint32_t id, Duration sent, Duration received, const Reply& reply) override;
  void failed(std::uint32_t id, Fate fate, Duration sent) override;
  void first_dialled(const std::string& error) override;

  void begin();
  void send_due();
  void wait_for_due();
  void watch_over();
  void watch_signals();
  void end_if_done();
  void end();

  DriverPlan plan_;
  const std::vector<std::string>& keys_;
  std::function<void(const Progress&)> report_;
  asio::io_context io_;
  asio::steady_timer due_;
  asio::steady_timer patrol_;
  asio::signal_set signals_;
  Stopwatch watch_;
  std::vector<std::unique_ptr<NodeLink>> links_;
  std::vector<Attempt>* attempts_ = nullptr;
  std::size_t next_ = 0;     // the first attempt that is not sent
  std::size_t last_ = 0;     // where the sending ends
  std::size_t settled_ = 0;  // attempts that have their fate
  Progress progress_;
  Duration reported_{0};
  std::size_t dialling_ = 0;
  std::string unreachable_;  // the first node that could not be reached at the start
  bool begun_ = false;
  bool interrupted_ = false;
  ErrorTexts error_texts_;
};

}  // namespace brigade::replay
