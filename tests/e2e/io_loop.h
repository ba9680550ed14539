// A loop that tests with real sockets run by hand.
#pragma once

#include <chrono>

#include <asio/io_context.hpp>

namespace brigade {

// Runs the loop until `condition` holds; false after ten seconds.
template <class Condition>
bool run_until(asio::io_context& io, const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition() && std::chrono::steady_clock::now() < deadline) {
    io.restart();
    io.run_one_for(std::chrono::milliseconds(5));
  }
  return condition();
}

inline void run_for(asio::io_context& io, std::chrono::milliseconds time) {
  io.restart();
  io.run_for(time);
}

}  // namespace brigade
