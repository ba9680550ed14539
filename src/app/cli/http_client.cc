#include "app/cli/http_client.h"

#include <array>
#include <chrono>
#include <system_error>
#include <vector>

#include <asio/buffer.hpp>
#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>

namespace brigade::cli {
namespace {

using asio::ip::tcp;
using base::Error;
using SteadyClock = std::chrono::steady_clock;

constexpr const char* kOtherNode = "say which node with --node HOST:PORT or BRIGADE_NODE";

std::string in_seconds(base::Duration duration) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(duration).count()) + " s";
}

// One connection and what runs on it, step by step.
class Exchange {
 public:
  explicit Exchange(const net::HostPort& address) : address_(address), socket_(io_) {}

  base::Status connect(base::Duration patience) {
    deadline_ = SteadyClock::now() + patience;
    std::error_code error;
    std::vector<tcp::endpoint> endpoints;
    const auto numeric = asio::ip::make_address(address_.host, error);
    if (!error) {
      endpoints.emplace_back(numeric, address_.port);
    } else {
      // The system's resolver has time limits of its own.
      tcp::resolver resolver(io_);
      for (const auto& entry :
           resolver.resolve(address_.host, std::to_string(address_.port), error)) {
        endpoints.push_back(entry.endpoint());
      }
      if (error) {
        return Error{"cannot find the node's host " + address_.host + ": " + error.message() +
                     "; " + kOtherNode};
      }
    }
    error = run([&](auto done) { asio::async_connect(socket_, endpoints, done); });
    if (error) {
      const std::string why = error == asio::error::timed_out
                                  ? "no connection within " + in_seconds(patience)
                                  : error.message();
      return Error{"cannot reach a node at " + address_.text() + ": " + why +
                   ". Is `brigade node` running there? Else " + kOtherNode};
    }
    return base::ok();
  }

  base::Result<HttpReply> ask(const std::string& request, base::Duration patience) {
    deadline_ = SteadyClock::now() + patience;
    // A server may answer and close before it has read everything: its answer counts, not that the
    // rest could not be sent.
    const auto unsent =
        run([&](auto done) { asio::async_write(socket_, asio::buffer(request), done); });
    if (unsent == asio::error::timed_out) {
      return late(patience);
    }
    HttpReplyReader reader;
    auto state = HttpReplyReader::State::kMore;
    bool silent = true;
    std::array<char, 16384> bytes{};
    while (state == HttpReplyReader::State::kMore) {
      std::size_t size = 0;
      const auto error = run([&](auto done) {
        socket_.async_read_some(asio::buffer(bytes), [&size, done](std::error_code e, auto count) {
          size = count;
          done(e);
        });
      });
      if (error == asio::error::timed_out) {
        return late(patience);
      }
      silent = silent && size == 0;
      state = error ? reader.ended() : reader.feed({bytes.data(), size});
    }
    if (state == HttpReplyReader::State::kDone) {
      return reader.reply();
    }
    if (reader.spoke_http()) {
      return Error{"the node at " + address_.text() + " ended the connection before its answer"};
    }
    if (silent) {
      return Error{"the connection to " + address_.text() +
                   " ended without an answer: did the node stop? Or " + kOtherNode};
    }
    return Error{"what listens at " + address_.text() +
                 " does not speak HTTP; client commands talk to a node's --http address (port "
                 "7422 by default); " +
                 kOtherNode};
  }

 private:
  [[nodiscard]] Error late(base::Duration patience) const {
    return Error{"the node at " + address_.text() + " did not answer within " +
                 in_seconds(patience)};
  }

  // Runs one asynchronous step to its end, or to the deadline: asio::error::timed_out.
  template <class Start>
  std::error_code run(Start start) {
    std::error_code result = asio::error::would_block;
    start([&result](std::error_code error, auto&&...) { result = error; });
    io_.restart();
    io_.run_until(deadline_);
    if (result == asio::error::would_block) {
      std::error_code ignored;
      socket_.close(ignored);
      io_.run();
      return asio::error::timed_out;
    }
    return result;
  }

  const net::HostPort& address_;
  asio::io_context io_;
  tcp::socket socket_;
  SteadyClock::time_point deadline_;
};

}  // namespace

base::Result<HttpReply> http_ask(const net::HostPort& address, const HttpAsk& ask,
                                 const HttpPatience& patience) {
  Exchange exchange(address);
  if (auto status = exchange.connect(patience.connecting); !status) {
    return status.error();
  }
  std::string request = ask.method + " " + ask.target + " HTTP/1.1\r\nHost: " + address.text() +
                        "\r\nConnection: close\r\nAccept: application/json\r\n";
  if (ask.method != "GET") {
    request +=
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(ask.body.size()) +
        "\r\n";
  }
  request += "\r\n" + ask.body;
  return exchange.ask(request, patience.answering);
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~";
  std::string out;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kPlain.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4U];
    out += kHex[byte & 0xFU];
  }
  return out;
}

}  // namespace brigade::cli
