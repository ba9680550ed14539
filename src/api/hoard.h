// What a door's connections hold in memory for their clients, together: unfinished requests and
// unread answers. Each connection alone has its bounds; ten thousand at their bounds would still be
// gigabytes. Over the budget, a connection that holds more than its small part has to go.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace brigade::api {

class Hoard {
 public:
  // What a connection may always hold: honest clients' requests and answers are smaller.
  static constexpr std::size_t kSmall = std::size_t{32} << 10U;

  explicit Hoard(std::size_t budget) : budget_(budget) {}

  // One connection's part; given back when it ends.
  class Part {
   public:
    explicit Part(std::shared_ptr<Hoard> hoard) : hoard_(std::move(hoard)) {}
    ~Part() { hoard_->held_ -= held_; }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;

    // It holds this many bytes now. False: it has to go.
    [[nodiscard]] bool hold(std::size_t bytes) {
      hoard_->held_ = hoard_->held_ - held_ + bytes;
      held_ = bytes;
      return bytes <= kSmall || hoard_->held_ <= hoard_->budget_;
    }

   private:
    std::shared_ptr<Hoard> hoard_;  // a connection may outlive its server
    std::size_t held_ = 0;
  };

  [[nodiscard]] std::size_t held() const { return held_; }

 private:
  std::size_t budget_;
  std::size_t held_ = 0;
};

}  // namespace brigade::api
