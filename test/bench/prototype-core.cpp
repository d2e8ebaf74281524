// The prototype's core on a picture of its own, for comparison: seconds of processor time of peeling and of all scales.
// g++ -O3 -march=x86-64-v3 -ffast-math -DPROTOTYPE='"…/detail.cpp"' prototype-core.cpp; arguments: width height side-of-the-hole
#include PROTOTYPE
#include <cstdio>
#include <cstdlib>
#include <ctime>

struct Level { int w, h; vector<float> planes; vector<uint8_t> hole; };

static Level half(const Level& a) {
  Level b{(a.w + 1) / 2, (a.h + 1) / 2, {}, {}};
  b.planes.assign(size_t(b.w) * b.h * 5, 0); b.hole.assign(size_t(b.w) * b.h, 0);
  for (int y = 0; y < b.h; y++) for (int x = 0; x < b.w; x++) {
    int known = 0, all = 0; float* p = &b.planes[size_t(y * b.w + x) * 5];
    for (int v = 2 * y; v < std::min(a.h, 2 * y + 2); v++) for (int u = 2 * x; u < std::min(a.w, 2 * x + 2); u++) {
      all++; if (a.hole[v * a.w + u]) continue;
      known++; for (int c = 0; c < 5; c++) p[c] += a.planes[size_t(v * a.w + u) * 5 + c];
    }
    for (int c = 0; c < 5; c++) p[c] /= std::max(1, known);
    b.hole[y * b.w + x] = 2 * known < all;
  }
  return b;
}

int main(int, char** argv) {
  const int side = atoi(argv[3]), w = std::min(atoi(argv[1]), 3 * side), h = std::min(atoi(argv[2]), 3 * side);
  Level first{w, h, vector<float>(size_t(w) * h * 5), vector<uint8_t>(size_t(w) * h)};
  for (int y = 0; y < h; y++) for (int x = 0; x < w; x++) {
    const int i = y * w + x;
    first.hole[i] = abs(2 * x - w) < side && abs(2 * y - h) < side;
    for (int c = 0; c < 3; c++) first.planes[size_t(i) * 5 + c] = .4f + .15f * std::sin(x / 9.f + c) + .1f * std::sin(y / 13.f) + .15f * (mix(i) >> 24) / 255;
  }
  auto light = [&](int i) { const float* p = &first.planes[size_t(i) * 5]; return .299f * p[0] + .587f * p[1] + .114f * p[2]; };
  for (int i = 0; i + w < w * h; i++) { first.planes[size_t(i) * 5 + 3] = 3 * std::fabs(light(i) - light(i + 1)); first.planes[size_t(i) * 5 + 4] = 3 * std::fabs(light(i) - light(i + w)); }
  vector<Level> levels{first};
  for (int deep = side / 2; deep > 5 && std::min(levels.back().w, levels.back().h) >= 64; deep /= 2) levels.push_back(half(levels.back()));
  const int top = int(levels.size()) - 1;
  vector<int32_t> field; double seconds = 0;
  for (int l = top; l >= 0; l--) {
    Level& a = levels[l]; const int n = a.w * a.h;
    vector<uint8_t> allowed(n, 1); vector<float> conf(n), dist(n); vector<int32_t> up(n, -1), from(n, -1);
    for (int y = 0; y < a.h; y++) for (int x = 0; x < a.w; x++) {
      const float edge = side / float(2 << l) - std::max(std::fabs(x - a.w / 2.f), std::fabs(y - a.h / 2.f));
      conf[y * a.w + x] = std::exp(-.4f * std::min(std::max(edge, 0.f), 24.f));
    }
    Params p{a.w, a.h, 5, 2, l >= top - 1 ? 8 : l >= std::max(2, top - 3) ? 4 : 2, 2, l >= std::max(1, top - 2) ? 0 : 8, l == 0, 0, 0, 1, 1, uint32_t(131 + l)};
    if (l < top) {
      const Level& c = levels[l + 1];
      for (int y = 0; y < a.h; y++) for (int x = 0; x < a.w; x++) {
        const int s = field[std::min(y / 2, c.h - 1) * c.w + std::min(x / 2, c.w - 1)]; if (s < 0) continue;
        const int sx = s % c.w * 2 + x % 2, sy = s / c.w * 2 + y % 2;
        if (sx >= 2 && sx < a.w - 2 && sy >= 2 && sy < a.h - 2) up[y * a.w + x] = sy * a.w + sx;
      }
    }
    const clock_t started = clock();
    if (l == top) { vector<uint8_t> peeled = a.hole; detail_peel(&p, a.planes.data(), peeled.data(), allowed.data(), nullptr, nullptr); }
    detail_scale(&p, a.planes.data(), a.hole.data(), allowed.data(), up.data(), l == top, nullptr, nullptr, conf.data(), dist.data(), from.data());
    seconds += double(clock() - started) / CLOCKS_PER_SEC;
    field = up;
  }
  printf("%f\n", seconds);
}
