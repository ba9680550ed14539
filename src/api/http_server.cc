#include "api/http_server.h"

#include <exception>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <restinio/all.hpp>

namespace brigade::api {
namespace {

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
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

void send(const restinio::request_handle_t& request, HttpResponse response) {
  // The one place where RESTinio's exceptions end: an answer to a connection that is gone, or whose
  // time to answer has passed, has nowhere to go.
  try {
    auto builder = request->create_response(restinio::http_status_line_t{
        restinio::http_status_code_t{static_cast<std::uint16_t>(response.status)},
        reason_phrase(response.status)});
    builder.append_header(restinio::http_field::content_type, std::move(response.content_type));
    for (auto& [name, value] : response.headers) {
      builder.append_header(std::move(name), std::move(value));
    }
    builder.set_body(std::move(response.body));
    builder.done();
  } catch (const std::exception&) {
    return;
  }
}

}  // namespace

// The sessions of a server. Shared with RESTinio's connections, which may outlive the server.
class HttpServer::Sessions {
 public:
  Sessions(Desk& desk, HttpSession::WallClock wall_clock, std::size_t body_max)
      : desk_(desk), wall_clock_(std::move(wall_clock)), body_max_(body_max) {}

  restinio::request_handling_status_t handle(const restinio::request_handle_t& request) {
    if (ended_) {
      send(request, error_response(503, "stopping", "this node is stopping"));
      return restinio::request_accepted();
    }
    if (request->body().size() > body_max_) {
      send(request,
           error_response(413, "too_large",
                          "expected a body of at most " + std::to_string(body_max_) + " bytes"));
      return restinio::request_accepted();
    }
    // A copy: an answer may close the connection and with it drop the session.
    std::shared_ptr<HttpSession>& kept = sessions_[request->connection_id()];
    if (!kept) {
      kept = std::make_shared<HttpSession>(desk_, wall_clock_);
    }
    const std::shared_ptr<HttpSession> session = kept;
    const std::string method = request->header().method().c_str();
    const auto path = request->header().path();
    const auto query = request->header().query();
    session->handle({.method = method,
                     .path = {path.data(), path.size()},
                     .query = {query.data(), query.size()},
                     .body = request->body()},
                    [request](HttpResponse response) { send(request, std::move(response)); });
    return restinio::request_accepted();
  }

  // RESTinio tells of every connection's states.
  void state_changed(const restinio::connection_state::notice_t& notice) noexcept {
    if (std::holds_alternative<restinio::connection_state::closed_t>(notice.cause())) {
      if (const auto gone = sessions_.extract(notice.connection_id()); !gone.empty()) {
        gone.mapped()->end();
      }
    }
  }

  void end() {
    ended_ = true;
    const auto sessions = std::exchange(sessions_, {});
    for (const auto& [id, session] : sessions) {
      session->end();
    }
  }
  [[nodiscard]] std::size_t size() const { return sessions_.size(); }

 private:
  Desk& desk_;
  HttpSession::WallClock wall_clock_;
  std::size_t body_max_;
  bool ended_ = false;
  std::map<restinio::connection_id_t, std::shared_ptr<HttpSession>> sessions_;
};

class HttpServer::Listener {
 public:
  Listener(asio::io_context& io, const asio::ip::tcp::endpoint& endpoint,
           const std::shared_ptr<Sessions>& sessions, const HttpLimits& limits)
      : endpoint_(endpoint), server_(restinio::external_io_context(io), [&](auto& settings) {
          configure(settings, sessions, limits);
        }) {}

  base::Status open() {
    try {
      server_.open_sync();
      return base::ok();
    } catch (const std::exception& error) {
      return base::Error{"http " + endpoint_.address().to_string() + ":" +
                         std::to_string(endpoint_.port()) + ": " + error.what()};
    }
  }
  void close() {
    try {
      server_.close_sync();
    } catch (const std::exception&) {
      return;  // it was not open
    }
  }
  [[nodiscard]] asio::ip::tcp::endpoint endpoint() const { return endpoint_; }

 private:
  struct Traits : restinio::default_single_thread_traits_t {
    // Not RESTinio's limiter: its connections point into the acceptor, which dies before them.
    using connection_state_listener_t = Sessions;
  };

  template <class Settings>
  void configure(Settings& settings, const std::shared_ptr<Sessions>& sessions,
                 const HttpLimits& limits) {
    settings.protocol(endpoint_.protocol())
        .address(endpoint_.address())
        .port(endpoint_.port())
        .acceptor_post_bind_hook(
            [this](asio::ip::tcp::acceptor& acceptor) { endpoint_ = acceptor.local_endpoint(); })
        .socket_options_setter(
            [](auto& options) { options.set_option(asio::ip::tcp::no_delay(true)); })
        .max_pipelined_requests(limits.pipelined)
        .read_next_http_message_timelimit(limits.reading)
        .write_http_response_timelimit(limits.writing)
        .handle_request_timeout(limits.waiting)
        .incoming_http_msg_limits(restinio::incoming_http_msg_limits_t{}
                                      .max_url_size(limits.url)
                                      .max_field_name_size(256)
                                      .max_field_value_size(limits.header)
                                      .max_field_count(limits.headers)
                                      .max_body_size(2 * limits.body))
        .connection_state_listener(sessions)
        .request_handler([sessions](const restinio::request_handle_t& request) {
          return sessions->handle(request);
        });
  }

  asio::ip::tcp::endpoint endpoint_;
  restinio::http_server_t<Traits> server_;
};

HttpServer::HttpServer(asio::io_context& io, asio::ip::tcp::endpoint endpoint, Desk& desk,
                       HttpSession::WallClock wall_clock, HttpLimits limits)
    : sessions_(std::make_shared<Sessions>(desk, std::move(wall_clock), limits.body)),
      listener_(std::make_unique<Listener>(io, endpoint, sessions_, limits)) {}

HttpServer::~HttpServer() {
  sessions_->end();
}

base::Status HttpServer::open() {
  return listener_->open();
}

asio::ip::tcp::endpoint HttpServer::endpoint() const {
  return listener_->endpoint();
}

std::size_t HttpServer::connections() const {
  return sessions_->size();
}

void HttpServer::stop_accepting() {
  listener_->close();
}

}  // namespace brigade::api
