// The front doors that this node's flags ask for. Single-threaded (the io_context's).
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <asio/io_context.hpp>

#include "api/desk.h"
#include "api/http_server.h"
#include "api/redis_server.h"
#include "app/options.h"
#include "base/result.h"

namespace brigade::app {

class Doors {
 public:
  struct Place {
    std::string host;  // stands for this machine where a door listens everywhere
    std::size_t connections_max = 10'000;  // of each door
  };
  // Opens them all, or says which address is in the way. Requires: `io` and `desk` outlive this.
  base::Status open(asio::io_context& io, const NodeOptions& options, const Place& place,
                    api::Desk& desk);

  [[nodiscard]] std::size_t redis_connections() const { return redis_ ? redis_->connections() : 0; }
  [[nodiscard]] std::size_t http_connections() const { return http_ ? http_->connections() : 0; }

  // Where they are, "off" when they are not open.
  [[nodiscard]] const std::string& redis_address() const { return redis_address_; }
  [[nodiscard]] const std::string& http_address() const { return http_address_; }

  // Writes out what was decided in this turn.
  void flush();
  void stop_accepting();
  // Closes every connection; what waits there is given up.
  void close();

 private:
  std::optional<api::RedisServer> redis_;
  std::optional<api::HttpServer> http_;
  std::string redis_address_ = "off";
  std::string http_address_ = "off";
};

}  // namespace brigade::app
