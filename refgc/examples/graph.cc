// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A random graph, of which a few places are held from outside. What can be reached from these is
// counted by a walk; the collector must free exactly the rest. Then the same while edges change and
// collections are automatic.

#include <refgc/refgc.h>

#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

namespace {

size_t places_alive = 0;

struct Place {
  explicit Place(int n) : number(n) { ++places_alive; }
  ~Place() { --places_alive; }

  int number;
  bool is_seen = false;
  std::vector<refgc::ref<Place>> roads;
  REFGC_TRACE(roads)
};

using Places = std::vector<refgc::ref<Place>>;

// The same numbers everywhere (Marsaglia's xorshift).
uint32_t random_below(uint32_t n) {
  static uint32_t state = 2463534242;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % n;
}

// Roads stay within a town of 100 places, so that whole towns can be lost.
void add_roads(const Places& places, int count) {
  for (int i = 0; i < count; ++i) {
    const uint32_t from = random_below(static_cast<uint32_t>(places.size()));
    const uint32_t to = from / 100 * 100 + random_below(100);
    places[from]->roads.push_back(places[to]);
  }
}

// How many can be reached; without recursion, as the graph may be one long path.
size_t count_reachable(const Places& from) {
  std::vector<Place*> waiting;
  Places seen;
  const auto visit = [&](const refgc::ref<Place>& place) {
    if (!place->is_seen) {
      place->is_seen = true;
      seen.push_back(place);
      waiting.push_back(place.get());
    }
  };
  for (const auto& place : from) {
    visit(place);
  }
  while (!waiting.empty()) {
    Place* place = waiting.back();
    waiting.pop_back();
    for (const auto& road : place->roads) {
      visit(road);
    }
  }
  for (const auto& place : seen) {
    place->is_seen = false;
  }
  return seen.size();
}

// Places come and go; most that go lie on cycles. Returns the most that ever lived at once.
size_t churn(Places* held, int steps) {
  size_t most = 0;
  for (int i = 0; i < steps; ++i) {
    auto place = refgc::make<Place>(i);
    place->roads.push_back(place);  // a cycle of its own
    place->roads.push_back((*held)[random_below(static_cast<uint32_t>(held->size()))]);
    (*held)[random_below(static_cast<uint32_t>(held->size()))]->roads = {place};
    most = places_alive > most ? places_alive : most;
  }
  return most;
}

}  // namespace

int main() {
  refgc::gc::disable();
  refgc::gc::callbacks().push_back(
      [](refgc::gc::phase phase, const refgc::gc::callback_info& info) {
        if (info.generation == 2 && phase == refgc::gc::phase::start) {
          std::printf("collection of generation 2 starts, %zu places\n", places_alive);
        } else if (info.generation == 2) {
          std::printf("collection of generation 2 stops: %zu collected\n", info.collected);
        }
      });

  Places places;
  std::vector<refgc::weak_ref<Place>> weak;
  for (int i = 0; i < 20000; ++i) {
    places.push_back(refgc::make<Place>(i));
    weak.emplace_back(places.back());
  }
  add_roads(places, 40000);
  for (uint32_t i = 0; i < 100; ++i) {
    std::swap(places[i], places[i + random_below(20000 - i)]);
  }
  places.resize(100);
  const size_t reachable = count_reachable(places);
  const size_t before = places_alive;
  const size_t found = refgc::collect();
  size_t expired = 0;
  for (const auto& w : weak) {
    expired += w.expired() ? 1 : 0;
  }
  const bool is_exact = places_alive == reachable && found == before - reachable &&
                        expired == weak.size() - reachable && refgc::collect() == 0;
  std::printf("exactly the unreachable ones went: %s\n", is_exact ? "yes" : "no");

  refgc::gc::callbacks().clear();
  refgc::gc::enable();
  const size_t most = churn(&places, 200000);
  std::printf("200000 more places, fewer than 20000 at once: %s\n", most < 20000 ? "yes" : "no");
  std::printf("automatic collections: %s\n",
              refgc::gc::get_stats()[0].collections > 0 ? "yes" : "no");
  places.clear();
  refgc::collect();
  std::printf("%zu places at the end\n", places_alive);
  return is_exact && places_alive == 0 ? 0 : 1;
}
