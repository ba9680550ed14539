// Row 4: a borrow round trip between two nodes on loopback, beside a bare TCP ping-pong of the same
// bytes. Two threads: the lender is the real node behind a real mesh and takes its turns as the
// program does; the borrower is a real mesh that asks again as soon as it is answered.
//
// Prints one JSON object: microseconds, p50 and p99, by round.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

#include "net/mesh.h"
#include "net/peer_sockets.h"
#include "solo_node.h"
#include "wire/peer_codec.h"

namespace {

using namespace brigade;
using Time = std::chrono::steady_clock;

constexpr node::NodeId kLender(1);
constexpr node::NodeId kBorrower(2);
constexpr const char* kLimit = "api";
constexpr int kWarmUp = 200;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "bench borrow: %s\n", what);
  std::exit(1);
}

struct Percentiles {
  double p50 = 0;
  double p99 = 0;
};

// Of round trips in microseconds, without those at the start.
Percentiles percentiles(std::vector<double> trips) {
  trips.erase(trips.begin(), trips.begin() + kWarmUp);
  std::sort(trips.begin(), trips.end());
  return {.p50 = trips[trips.size() / 2], .p99 = trips[trips.size() * 99 / 100]};
}

double since(Time::time_point begun) {
  return std::chrono::duration<double, std::micro>(Time::now() - begun).count();
}

net::MeshOptions identity(node::NodeId id, const std::string& name, const std::string& address) {
  return {.self = {.cluster = base::ClusterId{1, 2},
                   .node = id,
                   .boot = {id.value(), 1},
                   .name = name,
                   .advertised = address}};
}

// One end of the mesh and the loop it lives on.
class End : public net::MeshEvents {
 public:
  End(node::NodeId id, const std::string& name)
      : sockets_(std::move(net::bind_peer_sockets(io_, {.host = "127.0.0.1", .port = 0}).value())),
        address_(sockets_.bound.text()),
        mesh_(io_, identity(id, name, address_), *this) {
    mesh_.accept_from(std::move(sockets_.tcp));
  }

  [[nodiscard]] const std::string& address() const { return address_; }
  asio::io_context& io() { return io_; }
  net::Mesh& mesh() { return mesh_; }

  void connected(base::NodeId) override {}
  void disconnected(base::NodeId, const std::string&) override {}
  void asked(const net::Hello&, std::string_view, net::Answer answer) override { answer({}); }
  void doubled(const std::string&, bool) override {}
  std::optional<std::string> turn_away(const net::Hello&) override { return std::nullopt; }

 private:
  asio::io_context io_{1};
  net::PeerSockets sockets_;
  std::string address_;
  net::Mesh mesh_;
};

class Lender final : public End {
 public:
  Lender() : End(kLender, "lender"), solo_(clock_), timer_(io()) {
    bucket::LimitSpec spec;
    spec.name = kLimit;
    spec.rate = base::Rate::per_second(1'000'000);
    spec.burst = base::Tokens::whole(1'000'000);
    if (!solo_.serve({spec})) {
      fail("the lender did not come up");
    }
    tick();
  }

  [[nodiscard]] node::Version version() { return solo_.node().shared(kLimit)->config().version; }

  void received(base::NodeId from, std::string_view frame) override {
    const auto decoded = wire::decode_frame(frame);
    if (!decoded) {
      fail("the lender got a malformed frame");
    }
    solo_.node().received(from, std::get<node::PeerMessage>(*decoded), clock_.now());
    if (!turn_posted_) {
      turn_posted_ = true;
      asio::post(io(), [this] { turn(); });
    }
  }

 private:
  void turn() {
    turn_posted_ = false;
    for (const node::Send& send : solo_.turn().sends) {
      if (clock_.now().fast < send.expires) {
        mesh().send(send.to, wire::encode(send.message), net::Lane::kUrgent);
      }
    }
  }
  // Renewals and heartbeats go on.
  void tick() {
    timer_.expires_after(std::chrono::milliseconds(20));
    timer_.async_wait([this](std::error_code error) {
      if (!error) {
        turn();
        tick();
      }
    });
  }

  host::Clock clock_;
  bench::SoloNode solo_;
  asio::steady_timer timer_;
  bool turn_posted_ = false;
};

class Borrower final : public End {
 public:
  explicit Borrower(node::Version version) : End(kBorrower, "borrower"), version_(version) {}

  // Borrows one token so many times, one after the other.
  std::vector<double> run(int times) {
    trips_.clear();
    wanted_ = static_cast<std::size_t>(times);
    ask();
    io().restart();
    while (trips_.size() < wanted_) {
      io().run_one();
    }
    return trips_;
  }

  // Bytes of one request on the wire, and of one answer.
  [[nodiscard]] std::pair<std::size_t, std::size_t> bytes() {
    const net::MeshCounters before = mesh().counters();
    run(1);
    const net::MeshCounters& after = mesh().counters();
    return {after.bytes_out - before.bytes_out, after.bytes_in - before.bytes_in};
  }

  void received(base::NodeId, std::string_view frame) override {
    const auto decoded = wire::decode_frame(frame);
    const auto* message = decoded ? std::get_if<node::PeerMessage>(&*decoded) : nullptr;
    const auto* loan = message != nullptr ? std::get_if<node::Loan>(message) : nullptr;
    if (loan == nullptr || loan->seq != seq_) {
      return;  // the lender tells other things too
    }
    if (loan->granted <= base::Tokens{}) {
      fail("the lender had nothing to lend");
    }
    trips_.push_back(since(asked_));
    if (trips_.size() < wanted_) {
      ask();
    }
  }

 private:
  void ask() {
    asked_ = Time::now();
    const node::Borrow borrow{.ledger = {.limit = kLimit, .key = {}},
                              .version = version_,
                              .account = node::Account(1),
                              .seq = ++seq_,
                              .want = base::Tokens::whole(1)};
    mesh().send(kLender, wire::encode(node::PeerMessage(borrow)), net::Lane::kUrgent);
  }

  node::Version version_;
  std::uint64_t seq_ = 0;
  Time::time_point asked_;
  std::size_t wanted_ = 0;
  std::vector<double> trips_;
};

// Blocking sockets, no framing, nothing to decide: what the kernel alone takes.
class PingPong {
 public:
  PingPong(std::size_t there, std::size_t back)
      : there_(there),
        back_(back),
        acceptor_(io_, {asio::ip::make_address("127.0.0.1"), 0}),
        socket_(io_),
        echo_([this] { answer(); }) {
    socket_.connect(acceptor_.local_endpoint());
    socket_.set_option(asio::ip::tcp::no_delay(true));
  }
  ~PingPong() {
    socket_.close();
    echo_.join();
  }

  std::vector<double> run(int times) {
    std::vector<double> trips;
    for (int i = 0; i < times; ++i) {
      const auto begun = Time::now();
      asio::write(socket_, asio::buffer(there_));
      asio::read(socket_, asio::buffer(back_));
      trips.push_back(since(begun));
    }
    return trips;
  }

 private:
  void answer() {
    std::vector<char> there(there_.size());
    const std::vector<char> back(back_.size());
    asio::ip::tcp::socket peer = acceptor_.accept();
    peer.set_option(asio::ip::tcp::no_delay(true));
    std::error_code error;
    while (!error) {
      asio::read(peer, asio::buffer(there), error);
      if (!error) {
        asio::write(peer, asio::buffer(back), error);
      }
    }
  }

  std::vector<char> there_;
  std::vector<char> back_;
  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_;
  asio::ip::tcp::socket socket_;
  std::thread echo_;
};

void print(const char* name, const std::vector<Percentiles>& rounds) {
  std::printf("\"%s\": {", name);
  for (const auto& [label, value] :
       {std::pair{"p50", &Percentiles::p50}, std::pair{"p99", &Percentiles::p99}}) {
    std::printf("%s\"%s\": [", value == &Percentiles::p50 ? "" : ", ", label);
    for (std::size_t i = 0; i < rounds.size(); ++i) {
      std::printf("%s%.2f", i == 0 ? "" : ", ", rounds[i].*value);
    }
    std::printf("]");
  }
  std::printf("}");
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  const int times = (argc > 2 ? std::atoi(argv[2]) : 3000) + kWarmUp;
  Lender lender;
  Borrower borrower(lender.version());
  lender.mesh().know(kBorrower, borrower.address());
  borrower.mesh().know(kLender, lender.address());
  std::thread loop([&] { lender.io().run(); });
  while (!borrower.mesh().is_connected(kLender)) {
    borrower.io().run_one();
  }
  // The lender's own link may still be coming up: an answer that finds none is dropped.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  borrower.run(kWarmUp);
  const auto [there, back] = borrower.bytes();
  PingPong ping_pong(there, back);

  std::vector<Percentiles> borrowed;
  std::vector<Percentiles> bare;
  for (int round = 0; round < rounds; ++round) {
    borrowed.push_back(percentiles(borrower.run(times)));
    bare.push_back(percentiles(ping_pong.run(times)));
  }
  std::printf("{");
  print("borrow", borrowed);
  std::printf(", ");
  print("pingpong", bare);
  std::printf(", \"bytes\": [%zu, %zu]}\n", there, back);
  lender.io().stop();
  loop.join();
  return 0;
}
