#include "api/http_server.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>

#include <asio/buffer.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>

namespace brigade::api {
namespace {

using asio::ip::tcp;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = std::size_t{16} << 10U;
// How often a connection's time limits are looked at, at least.
constexpr base::Duration kLookAtMost = base::seconds(5);
// What a refused client still sends is read for so long, so that it reads why it is refused.
constexpr base::Duration kLinger = base::seconds(2);

const char* reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Payload Too Large";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

// How the answer to one request is framed.
struct Framing {
  bool keep_alive = true;
  bool http_1_0 = false;
  bool without_body = false;  // to HEAD
};

void append_response(std::string& out, const HttpResponse& response, const Framing& framing) {
  out += "HTTP/1.1 " + std::to_string(response.status) + ' ';
  out += reason_phrase(response.status);
  out += "\r\nContent-Type: " + response.content_type;
  out += "\r\nContent-Length: " + std::to_string(response.body.size());
  for (const auto& [name, value] : response.headers) {
    out.append("\r\n").append(name).append(": ").append(value);
  }
  if (!framing.keep_alive) {
    out += "\r\nConnection: close";
  } else if (framing.http_1_0) {
    out += "\r\nConnection: keep-alive";
  }
  out += "\r\n\r\n";
  if (!framing.without_body) {
    out += response.body;
  }
}

}  // namespace

class HttpServer::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(HttpServer& server, tcp::socket socket)
      : server_(server),
        alive_(server.alive_),
        limits_(server.limits_),
        socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        session_(server.desk_, server.wall_clock_),
        reader_(server.limits_.message),
        part_(server.hoard_) {}

  void start() {
    read_by_ = SteadyClock::now() + limits_.reading;
    watch();
    read();
  }

  // Nothing is called on the desk any more; the socket is closed.
  void end() {
    if (!ended_) {
      ended_ = true;
      session_.end();
      timer_.cancel();
      std::error_code ignored;
      socket_.close(ignored);
    }
  }

 private:
  void close() {
    end();
    if (!alive_.expired()) {
      server_.connections_.erase(shared_from_this());
    }
  }

  // ---- time ----

  // When the client has been too slow.
  [[nodiscard]] SteadyClock::time_point due() const {
    if (lingering_) {
      return read_by_;
    }
    if (writing_) {
      return written_by_;
    }
    return deciding_ ? SteadyClock::time_point::max() : read_by_;
  }

  void watch() {
    timer_.expires_after(std::min({kLookAtMost, limits_.reading, limits_.writing}));
    timer_.async_wait([self = shared_from_this()](std::error_code error) {
      if (error || self->ended_) {
        return;
      }
      if (SteadyClock::now() >= self->due()) {
        self->close();
      } else {
        self->watch();
      }
    });
  }

  // ---- in ----

  void read() {
    if (reading_ || ended_ || gone_ || (!lingering_ && pending_.size() > limits_.ahead)) {
      return;
    }
    reading_ = true;
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](std::error_code error, std::size_t size) {
                              self->reading_ = false;
                              self->on_read(error, size);
                            });
  }

  void on_read(std::error_code error, std::size_t size) {
    if (ended_) {
      return;
    }
    if (error) {
      // What is answered already is still sent: the client may have closed its sending side only.
      gone_ = true;
      if (deciding_ || error != asio::error::eof || (!writing_ && out_.empty())) {
        close();
      }
      return;
    }
    if (!lingering_) {
      pending_.append(buffer_.data(), size);
      process();
      if (!part_.hold(pending_.capacity() + out_.capacity() + sending_.capacity() +
                      reader_.held())) {
        close();
      }
    }
    read();
  }

  // Reads requests and has them decided, one after the other.
  void process() {
    processing_ = true;
    while (!deciding_ && !last_ && !pending_.empty() && out_.size() < limits_.unread) {
      const auto fed = reader_.feed(pending_);
      pending_.erase(0, fed.used);
      if (reader_.take_expectation()) {
        out_ += "HTTP/1.1 100 Continue\r\n\r\n";
      }
      if (fed.state == HttpRequestReader::State::kRefused) {
        framing_ = {.keep_alive = false};
        answered(reader_.refusal());
      } else if (fed.state == HttpRequestReader::State::kRequest) {
        decide();
      }
    }
    processing_ = false;
    write();
  }

  void decide() {
    const HttpRequest request = reader_.request();
    framing_ = {.keep_alive = reader_.keep_alive(),
                .http_1_0 = reader_.http_1_0(),
                .without_body = request.method == "HEAD"};
    deciding_ = true;
    session_.handle(request, [weak = weak_from_this()](const HttpResponse& response) {
      if (const auto self = weak.lock()) {
        self->answered(response);
      }
    });
  }

  // ---- out ----

  void answered(const HttpResponse& response) {
    if (ended_) {
      return;
    }
    deciding_ = false;
    last_ = !framing_.keep_alive;
    append_response(out_, response, framing_);
    read_by_ = SteadyClock::now() + limits_.reading;
    if (processing_) {
      return;
    }
    write();
    // Not from here: the desk is in the middle of answering.
    asio::post(socket_.get_executor(), [self = shared_from_this()] {
      if (!self->ended_) {
        self->process();
        self->read();
      }
    });
  }

  // One write at a time; what gathers meanwhile goes out with the next one.
  void write() {
    if (writing_ || ended_) {
      return;
    }
    if (out_.empty()) {
      if (gone_) {
        close();
      } else if (last_ && !lingering_) {
        linger();
      }
      return;
    }
    writing_ = true;
    written_by_ = SteadyClock::now() + limits_.writing;
    sending_.clear();
    std::swap(sending_, out_);
    asio::async_write(socket_, asio::buffer(sending_),
                      [self = shared_from_this()](std::error_code error, std::size_t) {
                        self->writing_ = false;
                        if (self->ended_) {
                          return;
                        }
                        if (error) {
                          self->close();
                          return;
                        }
                        self->process();
                        self->read();
                      });
  }

  // Closing at once, with bytes unread, would make the kernel take the last answer back.
  void linger() {
    lingering_ = true;
    read_by_ = SteadyClock::now() + kLinger;
    std::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    read();
  }

  HttpServer& server_;
  std::weak_ptr<int> alive_;
  const HttpLimits limits_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  HttpSession session_;
  HttpRequestReader reader_;
  Hoard::Part part_;
  std::array<char, kReadBytes> buffer_{};
  std::string pending_;  // read, not yet fed
  std::string out_;      // answers that are not being written yet
  std::string sending_;
  Framing framing_;  // of the request that is decided
  SteadyClock::time_point read_by_;
  SteadyClock::time_point written_by_;
  bool reading_ = false;
  bool writing_ = false;
  bool processing_ = false;
  bool deciding_ = false;  // a request waits for its answer
  bool last_ = false;      // no request is read any more
  bool lingering_ = false;
  bool gone_ = false;  // the client sends nothing any more
  bool ended_ = false;
};

HttpServer::HttpServer(tcp::acceptor acceptor, Desk& desk, HttpSession::WallClock wall_clock,
                       HttpLimits limits)
    : desk_(desk),
      wall_clock_(std::move(wall_clock)),
      limits_(limits),
      hoard_(std::make_shared<Hoard>(limits.held)),
      listener_(std::move(acceptor),
                [this](Listener::Socket socket) { accepted(std::move(socket)); }) {}

HttpServer::~HttpServer() {
  alive_.reset();
  for (const auto& connection : connections_) {
    connection->end();
  }
}

void HttpServer::accepted(Listener::Socket socket) {
  if (connections_.size() < limits_.connections) {
    auto connection = std::make_shared<Connection>(*this, std::move(socket));
    connections_.insert(connection);
    connection->start();
  }
}

}  // namespace brigade::api
