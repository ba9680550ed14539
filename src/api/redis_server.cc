#include "api/redis_server.h"

#include <array>
#include <utility>
#include <vector>

#include <asio/basic_stream_socket.hpp>
#include <asio/buffer.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>

#include "api/redis_session.h"

namespace brigade::api {
namespace {

constexpr std::size_t kReadBytes = std::size_t{16} << 10U;

using Socket = Listener::Socket;

}  // namespace

class RedisServer::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(RedisServer& server, Socket socket)
      : server_(server),
        alive_(server.alive_),
        socket_(std::move(socket)),
        session_(server.desk_, server.info_),
        part_(server.hoard_) {}

  void read() {
    if (reading_ || session_.closing() || session_.backlog() > RedisSession::kFrameMax ||
        session_.output().size() > server_.limits_.unread_output) {
      return;
    }
    reading_ = true;
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](std::error_code error, std::size_t size) {
                              self->reading_ = false;
                              if (self->alive_.expired()) {
                                return;
                              }
                              if (error) {
                                self->close();
                                return;
                              }
                              self->fed_ += size;
                              self->session_.feed({self->buffer_.data(), size});
                              if (!self->part_.hold(self->held())) {
                                self->close();
                                return;
                              }
                              self->await_decision();
                              self->server_.answer_soon(self);
                            });
  }

  // Parked decisions append to the output between reads: flush() looks at those who wait for one.
  void await_decision() {
    if (session_.waiting() && !awaiting_) {
      awaiting_ = true;
      server_.awaiting_.push_back(shared_from_this());
    }
  }

  void flush() {
    awaiting_ = false;
    if (socket_.is_open()) {
      await_decision();
      write();
      read();
    }
  }

  // At once as far as the kernel takes it. One write at a time waits for the rest; what gathers
  // meanwhile goes out after it.
  void write() {
    if (writing_) {
      return;
    }
    std::string& output = session_.output();
    if (!output.empty()) {
      std::error_code error;
      const std::size_t sent = socket_.write_some(asio::buffer(output), error);
      if (error && error != asio::error::would_block) {
        close();
        return;
      }
      if (sent < output.size()) {
        write_later(sent);
        return;
      }
      output.clear();
      if (output.capacity() > 2 * RedisSession::kArgMax) {
        output = std::string();
      }
    }
    if (session_.closing()) {
      close();
    }
  }

  // Lets a client go that kept its connection busy without any progress since the time before.
  void look(std::chrono::steady_clock::time_point now) {
    const bool stuck = writing_ || (session_.backlog() > 0 && !session_.waiting());
    const std::size_t progress = fed_ - session_.backlog() + written_;
    if (!stuck || progress != progress_) {
      progress_ = progress;
      stuck_since_ = now;
    } else if (now - stuck_since_ >= server_.limits_.patience) {
      close();
    }
  }

  // The server goes; what the loop still holds of this connection must not touch the desk.
  void end() { session_.end(); }

  void close() {
    end();
    std::error_code ignored;
    socket_.close(ignored);
    server_.connections_.erase(shared_from_this());
  }

 private:
  [[nodiscard]] std::size_t held() const { return session_.held() + sending_.capacity(); }

  void write_later(std::size_t sent) {
    writing_ = true;
    sending_.clear();
    std::swap(sending_, session_.output());
    asio::async_write(socket_, asio::buffer(sending_) + sent,
                      [self = shared_from_this()](std::error_code error, std::size_t) {
                        self->writing_ = false;
                        if (self->alive_.expired()) {
                          return;
                        }
                        if (error) {
                          self->close();
                          return;
                        }
                        ++self->written_;
                        if (self->sending_.capacity() > 2 * RedisSession::kArgMax) {
                          self->sending_ = std::string();
                        }
                        self->write();
                        self->read();
                      });
  }

  RedisServer& server_;
  std::weak_ptr<int> alive_;
  Socket socket_;
  RedisSession session_;
  Hoard::Part part_;
  std::array<char, kReadBytes> buffer_{};
  std::string sending_;
  std::size_t fed_ = 0;       // bytes
  std::size_t written_ = 0;   // writes that were finished
  std::size_t progress_ = 0;  // when it was looked at last
  std::chrono::steady_clock::time_point stuck_since_ = std::chrono::steady_clock::now();
  bool reading_ = false;
  bool writing_ = false;
  bool awaiting_ = false;
};

RedisServer::RedisServer(asio::io_context& io, asio::ip::tcp::acceptor acceptor, Desk& desk,
                         RedisLimits limits)
    : io_(io),
      watch_(io),
      desk_(desk),
      limits_(limits),
      hoard_(std::make_shared<Hoard>(limits.held)),
      listener_(std::move(acceptor), [this](Socket socket) { accepted(std::move(socket)); }) {
  info_ = "# Server\r\nredis_version:7.0.0\r\nserver:brigade\r\nredis_mode:standalone\r\n";
  watch();
}

RedisServer::~RedisServer() {
  alive_.reset();
  awaiting_.clear();
  due_.clear();
  for (const auto& connection : connections_) {
    connection->end();
  }
}

void RedisServer::accepted(Socket socket) {
  std::error_code ignored;
  socket.non_blocking(true, ignored);
  if (connections_.size() >= limits_.connections) {
    constexpr std::string_view kFull = "-ERR max number of clients reached\r\n";
    socket.write_some(asio::buffer(kFull), ignored);
    return;
  }
  auto connection = std::make_shared<Connection>(*this, std::move(socket));
  connections_.insert(connection);
  connection->read();
}

void RedisServer::watch() {
  watch_.expires_after(limits_.patience / 4);
  watch_.async_wait([this, alive = std::weak_ptr<int>(alive_)](std::error_code stopped) {
    if (stopped || alive.expired()) {
      return;
    }
    const auto now = std::chrono::steady_clock::now();
    const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
    for (const auto& connection : all) {
      connection->look(now);
    }
    watch();
  });
}

void RedisServer::answer_soon(std::shared_ptr<Connection> connection) {
  if (due_.empty()) {
    asio::post(io_, [this, alive = std::weak_ptr<int>(alive_)] {
      if (!alive.expired()) {
        answer();
      }
    });
  }
  due_.push_back(std::move(connection));
}

void RedisServer::answer() {
  answering_.swap(due_);
  for (const auto& connection : answering_) {
    connection->write();
  }
  for (const auto& connection : answering_) {
    connection->read();
  }
  answering_.clear();
}

void RedisServer::flush() {
  const auto awaited = std::exchange(awaiting_, {});
  for (const auto& connection : awaited) {
    connection->flush();
  }
}

}  // namespace brigade::api
