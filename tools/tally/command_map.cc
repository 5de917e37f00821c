// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// `tally map PID|FILE -o OUT.svg|OUT.png`: fragmentation at a glance. One tile an arena, 8 x 8
// pools in it, coloured by how many of their blocks are in use.

#include <cairo/cairo-svg.h>
#include <cairo/cairo.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/tally/command.h"
#include "tools/tally/live_books.h"
#include "tools/tally/stats_file.h"
#include "tools/tally/units.h"

namespace tally::tool {
namespace {

constexpr size_t kPoolBytes = 4096;
constexpr size_t kPoolsPerArena = 64;
constexpr size_t kPoolsAcross = 8;  // of a tile

struct Colour {
  double red;
  double green;
  double blue;
};
constexpr Colour Rgb(uint32_t hex) {
  return {(hex >> 16 & 255) / 255.0, (hex >> 8 & 255) / 255.0, (hex & 255) / 255.0};
}
constexpr Colour kInk = Rgb(0x1f2933);
constexpr Colour kFaint = Rgb(0x52606d);
constexpr Colour kPaper = Rgb(0xffffff);

// What a pool may be shown as, in the legend's order.
struct Kind {
  const char* name;
  Colour colour;
};
enum KindIndex {
  kSparse,
  kHalf,
  kMost,
  kNearlyFull,
  kFull,
  kLarge,
  kDirty,
  kPurged,
  kUntouched,
  kMeta,
  kKinds
};
// Red to blue is ColorBrewer's RdYlBu, which colour-blind people can read.
constexpr std::array<Kind, kKinds> kKindTable{{
    {"blocks, under 25 % in use", Rgb(0xd73027)},
    {"blocks, 25 to 50 %", Rgb(0xfc8d59)},
    {"blocks, 50 to 75 %", Rgb(0xfee090)},
    {"blocks, 75 to 99 %", Rgb(0x91bfdb)},
    {"blocks, all in use", Rgb(0x4575b4)},
    {"large blocks", Rgb(0x5e3c99)},
    {"free, not yet given back", Rgb(0x9aa5b1)},
    {"free, given back", Rgb(0xe4e7eb)},
    {"free, never used", Rgb(0xf5f7fa)},
    {"descriptors", Rgb(0x323f4b)},
}};

KindIndex KindOf(uint8_t value) {
  if (value >= kPoolBlocks) {
    const double share = (value - kPoolBlocks) / (255.0 - kPoolBlocks);
    return value == 255    ? kFull
           : share >= 0.75 ? kNearlyFull
           : share >= 0.5  ? kMost
           : share >= 0.25 ? kHalf
                           : kSparse;
  }
  switch (value) {
    case kPoolLarge:
      return kLarge;
    case kPoolPurged:
      return kPurged;
    case kPoolUntouched:
    case kPoolAbsent:
      return kUntouched;
    case kPoolMetadata:
      return kMeta;
    default:
      return kDirty;
  }
}

struct RegionMap {
  uint64_t start;
  size_t arenas;
  std::array<uint8_t, 64 * kPoolsPerArena> pools;
};

std::vector<RegionMap> RegionsOf(const View& view) {
  std::vector<RegionMap> regions;
  for (size_t at = 0; at + kStatsLeafBytes <= view.leaves.size(); at += kStatsLeafBytes) {
    StatsRegionLeaf leaf;
    std::memcpy(&leaf, view.leaves.data() + at, sizeof(leaf));
    if (leaf.head.kind != LeafKind::kRegion) {
      continue;
    }
    RegionMap region{leaf.head.start, std::clamp<size_t>(leaf.head.count, 1, 64), {}};
    region.pools.fill(kPoolMetadata);
    std::copy(std::begin(leaf.occupancy), std::end(leaf.occupancy),
              region.pools.begin() + kPoolsPerArena);
    regions.push_back(region);
  }
  return regions;
}

// How the picture is laid out, in pixels.
struct Layout {
  double pool = 6;
  size_t columns = 16;  // tiles
  double tile = 0;
  double left = 150;
  double top = 92;
  double legend = 250;
  double width = 0;
  double height = 0;

  explicit Layout(const std::vector<RegionMap>& regions) {
    pool = regions.size() <= 8 ? 6 : regions.size() <= 32 ? 4 : regions.size() <= 128 ? 3 : 2;
    columns = regions.size() <= 8 ? 16 : regions.size() <= 32 ? 32 : 64;
    tile = pool * kPoolsAcross + 3;
    width = left + static_cast<double>(columns) * tile + 24 + legend;
    height = top;
    for (const RegionMap& region : regions) {
      height += RegionHeight(region);
    }
    height = std::max(height + 16, top + 26.0 * kKindTable.size() + 130);
  }
  double RegionHeight(const RegionMap& region) const {
    return static_cast<double>((region.arenas + columns - 1) / columns) * tile + 8;
  }
};

class Painter {
 public:
  Painter(cairo_t* cairo, const Layout& layout) : cairo_(cairo), layout_(layout) {}

  void Text(double x, double y, double size, Colour colour, const std::string& text,
            bool is_bold = false) {
    cairo_select_font_face(cairo_, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           is_bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo_, size);
    SetColour(colour);
    cairo_move_to(cairo_, x, y);
    cairo_show_text(cairo_, text.c_str());
  }
  void Box(double x, double y, double width, double height, Colour colour) {
    SetColour(colour);
    cairo_rectangle(cairo_, x, y, width, height);
    cairo_fill(cairo_);
  }
  // A region's tiles, its address beside. Counts what it paints.
  void Region(const RegionMap& region, double y, std::array<uint64_t, kKinds>* counts) {
    Text(16, y + 12, 11, kFaint, absl::StrFormat("0x%x", region.start));
    Text(16, y + 26, 10, kFaint, absl::StrFormat("%d arenas", region.arenas));
    const double gap = layout_.pool > 3 ? 0.5 : 0;
    for (size_t i = 0; i < region.arenas * kPoolsPerArena; ++i) {
      const size_t arena = i / kPoolsPerArena;
      const size_t pool = i % kPoolsPerArena;
      const double tile_x =
          layout_.left + static_cast<double>(arena % layout_.columns) * layout_.tile;
      const double tile_y = y + static_cast<double>(arena / layout_.columns) * layout_.tile;
      const KindIndex kind = KindOf(region.pools[i]);
      ++(*counts)[kind];
      Box(tile_x + static_cast<double>(pool % kPoolsAcross) * layout_.pool,
          tile_y + static_cast<double>(pool / kPoolsAcross) * layout_.pool, layout_.pool - gap,
          layout_.pool - gap, kKindTable[kind].colour);
    }
  }
  void Legend(double x, const std::array<uint64_t, kKinds>& counts) {
    double y = layout_.top;
    for (size_t kind = 0; kind < kKinds; ++kind, y += 26) {
      Box(x - 1, y - 1, 16, 16, kFaint);
      Box(x, y, 14, 14, kKindTable[kind].colour);
      Text(x + 24, y + 9, 12, kInk, kKindTable[kind].name);
      Text(x + 24, y + 21, 10, kFaint,
           absl::StrCat(Bytes(static_cast<double>(counts[kind] * kPoolBytes)), ", ",
                        Blocks(counts[kind]), " pools"));
    }
    Text(x, y + 16, 11, kFaint, "a square is a pool of 4 KiB,");
    Text(x, y + 31, 11, kFaint, "8 x 8 of them an arena of 256 KiB;");
    Text(x, y + 46, 11, kFaint, "huge blocks have mappings of their own");
    Text(x, y + 61, 11, kFaint, "and are not shown");
  }

 private:
  void SetColour(Colour colour) {
    cairo_set_source_rgb(cairo_, colour.red, colour.green, colour.blue);
  }

  cairo_t* cairo_;
  const Layout& layout_;
};

// What a reader should know first.
std::string Headline(const Books& books) {
  uint64_t used = 0;
  uint64_t free = 0;
  const ClassBooks* worst = nullptr;
  for (const ClassBooks& entry : books.classes) {
    used += entry.live * entry.block_bytes;
    free += entry.free_in_pools * entry.block_bytes;
    if (worst == nullptr ||
        entry.free_in_pools * entry.block_bytes > worst->free_in_pools * worst->block_bytes) {
      worst = &entry;
    }
  }
  const double share =
      used + free == 0 ? 0 : static_cast<double>(free) / static_cast<double>(used + free);
  std::string text = absl::StrFormat("%s of the blocks' memory in pools is free (%s)",
                                     Percent(share), Bytes(static_cast<double>(free)));
  if (worst->free_in_pools != 0) {
    absl::StrAppend(&text, ", most of it in the class of ", worst->block_bytes, " bytes (",
                    Bytes(static_cast<double>(worst->free_in_pools * worst->block_bytes)), ")");
  }
  return text;
}

void Paint(cairo_t* cairo, const Layout& layout, const View& view,
           const std::vector<RegionMap>& regions) {
  Painter painter(cairo, layout);
  painter.Box(0, 0, layout.width, layout.height, kPaper);
  const Books& books = view.books;
  const std::string rss =
      view.kernel.is_known
          ? absl::StrCat(", RSS ", Bytes(static_cast<double>(view.kernel.process_rss)))
          : "";
  painter.Text(16, 28, 18, kInk,
               absl::StrFormat("%s, process %d", Printable(view.command), view.process), true);
  painter.Text(
      16, 48, 12, kFaint,
      absl::StrCat(TimeOfDay(view.time_ms), ": ", Bytes(static_cast<double>(books.identity.live)),
                   " live of ", Bytes(static_cast<double>(books.mapped_bytes)), " mapped", rss,
                   view.is_present ? "" : "; " + view.origin));
  painter.Text(16, 70, 13, kInk, Headline(books));
  std::array<uint64_t, kKinds> counts{};
  double y = layout.top;
  for (const RegionMap& region : regions) {
    painter.Region(region, y, &counts);
    y += layout.RegionHeight(region);
  }
  painter.Legend(layout.left + static_cast<double>(layout.columns) * layout.tile + 24, counts);
}

// Written aside, then renamed. False when the file cannot be written.
bool WritePicture(const std::string& path, const View& view) {
  const std::vector<RegionMap> regions = RegionsOf(view);
  const Layout layout(regions);
  const std::string aside = path + ".tmp";
  const bool is_svg = absl::EndsWith(path, ".svg");
  cairo_surface_t* surface =
      is_svg ? cairo_svg_surface_create(aside.c_str(), layout.width, layout.height)
             : cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(layout.width),
                                          static_cast<int>(layout.height));
  cairo_t* cairo = cairo_create(surface);
  Paint(cairo, layout, view, regions);
  bool is_written = cairo_status(cairo) == CAIRO_STATUS_SUCCESS;
  cairo_destroy(cairo);
  if (!is_svg) {
    is_written =
        is_written && cairo_surface_write_to_png(surface, aside.c_str()) == CAIRO_STATUS_SUCCESS;
  }
  cairo_surface_finish(surface);
  is_written = is_written && cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS;
  cairo_surface_destroy(surface);
  std::error_code error;
  if (is_written) {
    std::filesystem::rename(aside, path, error);
  } else {
    std::filesystem::remove(aside, error);
  }
  return is_written && !error;
}

int RunMap(const std::string& target, const std::string& output) {
  if (!absl::EndsWith(output, ".svg") && !absl::EndsWith(output, ".png")) {
    Complain("map", output + ": neither .svg nor .png; name the output accordingly");
    return kBadUse;
  }
  const absl::StatusOr<std::string> path = ResolveTarget(target);
  const absl::StatusOr<View> view = path.ok() ? ReadView(*path) : path.status();
  if (!view.ok()) {
    Complain("map", absl::StrCat(path.ok() ? *path + ": " : "", view.status().message()));
    return absl::IsInvalidArgument(view.status()) ? kBadUse : kNotSo;
  }
  if (!view->is_present) {
    Complain("map", absl::StrCat(target, ": ", view->origin));
  }
  if (!WritePicture(output, *view)) {
    Complain("map", output + ": cannot be written");
    return kNotSo;
  }
  return kGood;
}

}  // namespace

void AddMapCommand(CLI::App& app, int& exit_code) {
  const auto target = std::make_shared<std::string>();
  const auto output = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("map", "Draw where the blocks lie: fragmentation");
  command->add_option("TARGET", *target, "A process id, or the path of a published file")
      ->required();
  command->add_option("-o,--output", *output, "The picture, .svg or .png")
      ->required()
      ->type_name("FILE");
  command->callback([target, output, &exit_code] { exit_code = RunMap(*target, *output); });
}

}  // namespace tally::tool
