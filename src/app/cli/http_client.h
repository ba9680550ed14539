// A blocking HTTP/1.1 client for one request: connects, sends, reads the reply, closes.
#pragma once

#include <string>
#include <string_view>

#include "app/cli/http_reply.h"
#include "base/result.h"
#include "base/time.h"
#include "net/address.h"

namespace brigade::cli {

struct HttpAsk {
  std::string method = "GET";
  std::string target = "/";  // percent-encoded, with the query
  std::string body;          // sent as JSON; GET has none
};

struct HttpPatience {
  base::Duration connecting = base::seconds(5);
  base::Duration answering = base::seconds(30);  // from connected to the whole reply
};

// Any reply is a success, whatever its status. Errors say which address was asked, what happened
// and how to ask another one.
base::Result<HttpReply> http_ask(const net::HostPort& address, const HttpAsk& ask,
                                 const HttpPatience& patience = {});

// One segment of a path: everything but letters, digits and -._~ as %XX.
std::string percent_encoded(std::string_view text);

}  // namespace brigade::cli
