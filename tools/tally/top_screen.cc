// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/top_screen.h"

#include <ncurses.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <clocale>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/tally/units.h"

namespace tally::tool {
namespace {

enum Pair : int16_t { kPlain, kTitle, kLive, kHeld, kFree, kOwn };

constexpr const char* kListHeader =
    "     PID       LIVE     MAPPED        RSS    ALLOC/s     FREE/s   GROWTH/s  THREADS  COMMAND";

// The colour of a term: what the program uses, what Tally holds back, what is free, what is ours.
Pair PairOf(const std::string& key) {
  if (key == "live") {
    return kLive;
  }
  if (key == "cached" || key == "transit" || key == "free_in_pools") {
    return kHeld;
  }
  return key == "metadata" || key == "tails" || key == "guards" ? kOwn : kFree;
}

std::string Bar(double share, int width) {
  const int filled = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * width));
  std::string bar(static_cast<size_t>(std::max(filled, share > 0 ? 1 : 0)),
                  filled == 0 ? '|' : '#');
  bar.resize(static_cast<size_t>(width), ' ');
  return bar;
}

}  // namespace

Screen::Screen() {
  if (isatty(STDOUT_FILENO) == 0) {
    return;
  }
  std::setlocale(LC_ALL, "");
  initscr();
  is_open_ = true;
  cbreak();
  noecho();
  keypad(stdscr, TRUE);
  set_escdelay(50);
  curs_set(0);
  if (has_colors()) {
    start_color();
    use_default_colors();
    init_pair(kTitle, COLOR_CYAN, -1);
    init_pair(kLive, COLOR_BLUE, -1);
    init_pair(kHeld, COLOR_YELLOW, -1);
    init_pair(kFree, COLOR_WHITE, -1);
    init_pair(kOwn, COLOR_MAGENTA, -1);
  }
}

Screen::~Screen() {
  if (is_open_) {
    endwin();
  }
}

Key Screen::WaitForKey(double* left_s) {
  const auto before = std::chrono::steady_clock::now();
  timeout(std::max(0, static_cast<int>(std::ceil(*left_s * 1000))));
  const int key = getch();
  const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - before;
  *left_s -= waited.count();
  switch (key) {
    case 'q':
      return Key::kQuit;
    case 'k':
    case KEY_UP:
      return Key::kUp;
    case 'j':
    case KEY_DOWN:
      return Key::kDown;
    case '\n':
    case KEY_ENTER:
    case KEY_RIGHT:
      return Key::kEnter;
    case 27:
    case KEY_LEFT:
    case KEY_BACKSPACE:
      return Key::kBack;
    case 's':
      return Key::kSort;
    case ' ':
    case 'p':
      return Key::kPause;
    default:
      return Key::kNone;
  }
}

void Screen::Line(int y, const std::string& text, int style) {
  if (y >= 0 && y < LINES) {
    attrset(style);
    mvaddnstr(y, 0, text.c_str(), COLS);
    attrset(0);
  }
}

void Screen::Footer(const std::string& text, bool is_paused) {
  Line(LINES - 1, absl::StrCat(is_paused ? "PAUSED  " : "", text), A_REVERSE);
  refresh();
}

void Screen::DrawList(const TopModel& model, SortBy sort, int64_t selected, bool is_paused) {
  erase();
  const std::vector<const TopRow*> rows = model.Sorted(sort);
  Line(0, absl::StrFormat("tally top: %d processes, by %s", rows.size(), NameOf(sort)),
       A_BOLD | COLOR_PAIR(kTitle));
  Line(2, kListHeader, A_REVERSE);
  // The selected row stays in sight.
  size_t at = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    at = rows[i]->view.process == selected ? i : at;
  }
  const size_t room = static_cast<size_t>(std::max(1, LINES - 5));
  const size_t first = at < room ? 0 : at - room + 1;
  int y = 3;
  for (size_t i = first; i < rows.size() && i < first + room; ++i, ++y) {
    const View& view = rows[i]->view;
    const std::string rss =
        view.kernel.process_rss != 0 ? Bytes(static_cast<double>(view.kernel.process_rss)) : "-";
    Line(
        y,
        absl::StrFormat("%8d %10s %10s %10s %10s %10s %10s  %7d  %s%s", view.process,
                        Bytes(static_cast<double>(view.books.identity.live)),
                        Bytes(static_cast<double>(view.books.mapped_bytes)), rss,
                        Short(rows[i]->allocated_per_s), Short(rows[i]->freed_per_s),
                        SignedBytes(std::round(rows[i]->live_bytes_per_s)), view.books.live_threads,
                        Printable(view.command), view.is_present ? "" : " (snapshot)"),
        view.process == selected ? A_BOLD | A_STANDOUT : 0);
  }
  if (rows.empty()) {
    Line(4, "  no process of this user is published; start one with `tally run`");
  }
  Footer(" up/down: select   enter: look into one   s: sort   space: pause   q: quit ", is_paused);
}

int Screen::DrawWaterfall(const TopRow& row, int y) {
  const Books& books = row.view.books;
  const int width = std::max(10, COLS - 44);
  const auto draw = [&](const char* name, uint64_t bytes, uint64_t whole, Pair pair) {
    const double share = whole == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(whole);
    Line(y++,
         absl::StrFormat("  %-15s %11s %6s  %s", name, Bytes(static_cast<double>(bytes)),
                         Percent(share), Bar(share, width)),
         COLOR_PAIR(pair));
  };
  Line(y++, absl::StrFormat("mapped          %13s", Bytes(static_cast<double>(books.mapped_bytes))),
       A_BOLD);
  for (const IdentityTerm& term : kIdentityTerms) {
    if (books.identity.*term.bytes != 0) {
      draw(term.title, books.identity.*term.bytes, books.mapped_bytes, PairOf(term.key));
    }
  }
  const KernelBooks& kernel = row.view.kernel;
  if (kernel.is_known) {
    Line(y++,
         absl::StrFormat("RSS             %13s", Bytes(static_cast<double>(kernel.process_rss))),
         A_BOLD);
    draw("pools of blocks", kernel.resident_blocks, kernel.process_rss, kLive);
    draw("large blocks", kernel.resident_large, kernel.process_rss, kLive);
    draw("free pools", kernel.resident_free, kernel.process_rss, kFree);
    draw("huge", kernel.resident_huge, kernel.process_rss, kLive);
    draw("metadata", kernel.resident_metadata, kernel.process_rss, kOwn);
    draw("not ours", kernel.not_ours(), kernel.process_rss, kFree);
  }
  return y + 1;
}

void Screen::DrawClasses(const TopRow& row, int y) {
  const Books& books = row.view.books;
  std::vector<size_t> classes;
  for (size_t c = 1; c < kStatsClassesMax; ++c) {
    if (books.classes[c].was_used()) {
      classes.push_back(c);
    }
  }
  const auto held = [&](size_t c) {
    const ClassBooks& entry = books.classes[c];
    return (entry.live + entry.cached + entry.transit + entry.free_in_pools) * entry.block_bytes;
  };
  std::sort(classes.begin(), classes.end(), [&](size_t a, size_t b) { return held(a) > held(b); });
  const uint64_t most = classes.empty() ? 0 : std::max<uint64_t>(1, held(classes.front()));
  const int width = std::max(10, COLS - 62);
  Line(y++, "   CLASS   LIVE BLOCKS  LIVE BYTES     CACHED  FREE IN POOLS   ALLOC/s", A_REVERSE);
  for (const size_t c : classes) {
    if (y >= LINES - 1) {
      break;
    }
    const ClassBooks& entry = books.classes[c];
    const auto bytes = [&](uint64_t blocks) {
      return Bytes(static_cast<double>(blocks * entry.block_bytes));
    };
    const double scale = static_cast<double>(width) / static_cast<double>(most);
    const auto part = [&](uint64_t blocks) {
      return static_cast<size_t>(
          std::lround(static_cast<double>(blocks * entry.block_bytes) * scale));
    };
    Line(y++, absl::StrFormat(
                  "%8d %13s %11s %10s %14s %9s  %s%s", entry.block_bytes, Blocks(entry.live),
                  bytes(entry.live), bytes(entry.cached), bytes(entry.free_in_pools),
                  Short(row.class_allocated_per_s[c]), std::string(part(entry.live), '#'),
                  std::string(part(entry.cached + entry.transit + entry.free_in_pools), '.')));
  }
}

void Screen::DrawProcess(const TopRow* row, int64_t process, bool is_paused) {
  erase();
  if (row == nullptr) {
    Line(0, absl::StrFormat("tally top: process %d is not published", process), A_BOLD);
    Footer(" left: all processes   q: quit ", is_paused);
    return;
  }
  const View& view = row->view;
  Line(0,
       absl::StrFormat("tally top: %s, process %d%s", Printable(view.command), process,
                       view.is_present ? "" : "; " + view.origin),
       A_BOLD | COLOR_PAIR(kTitle));
  Line(1, absl::StrFormat("%s blocks live, %s allocated/s, %s freed/s, %s/s; %d threads; "
                          "%s page faults/s",
                          Blocks(view.books.live_blocks()), Short(row->allocated_per_s),
                          Short(row->freed_per_s), SignedBytes(std::round(row->live_bytes_per_s)),
                          view.books.live_threads, Short(row->faults_per_s)));
  const int y = DrawWaterfall(*row, 3);
  DrawClasses(*row, y);
  Footer(" bars: # live  . held back or free in pools   left: all   space: pause   q: quit ",
         is_paused);
}

}  // namespace tally::tool
