/* Made by tools/coefficients, which says how. Polynomials have their constant coefficient first;
 * behind the name stands the largest error relative to the function. */
/* clang-format off */

/* (exp(r) - 1 - r) / r^2, |r| <= log(2) / 2 */
static const float exp_poly_f32[5] = { /* to 1.3e-7 */
    0x800000p-24f,
    0xaaaa6fp-26f,
    0xaaaac2p-28f,
    0x890577p-30f,
    0xb645f9p-33f};
static const double exp_poly_f64[10] = { /* to 2.2e-16 */
    0x10000000000001p-53,
    0x1555555555554cp-55,
    0x15555555553ccbp-57,
    0x11111111114c57p-59,
    0x16c16c178b35fep-62,
    0x1a01a01889bbddp-65,
    0x1a019b8923328fp-68,
    0x171de63fcb05fep-71,
    0x1289204b44c943p-74,
    0x1ae99500f007bap-78};

/* (log((1 + s) / (1 - s)) - 2 s) / s^3 by s^2, sqrt(1/2) <= (1 + s) / (1 - s) <= sqrt(2) */
static const float log_poly_f32[3] = { /* to 3.0e-7 */
    0xaaaaaep-24f,
    0xccbdd6p-25f,
    0x9779f3p-25f};
static const double log_poly_f64[7] = { /* to 4.6e-16 */
    0x15555555555558p-53,
    0x1999999999535ap-54,
    0x12492492de85eep-54,
    0x1c71c62ee481ddp-55,
    0x17462b29b96e1ep-55,
    0x139fe9b0c12b4cp-55,
    0x12b55ce94e3c6fp-55};

/* (tanh(x) - x) / x^3 by x^2, |x| <= 0.55 */
static const float tanh_poly_f32[5] = { /* to 6.0e-8 */
    -0xaaaaaap-25f,
    0x8887e0p-26f,
    -0xdccc04p-28f,
    0xae6b96p-29f,
    -0xd7b96ep-31f};
static const double tanh_poly_f64[11] = { /* to 5.6e-17 */
    -0x15555555555555p-54,
    0x11111111110fd1p-55,
    -0x1ba1ba1b9f7d48p-57,
    0x1664f48754270ap-58,
    -0x1226e32ad8a3adp-59,
    0x1d6d32dc8b1efcp-61,
    -0x17d9732e310e8ep-62,
    0x134c05874c7fccp-63,
    -0x1ebd828fe45b75p-65,
    0x164561da99128cp-66,
    -0x157fe9d1630bcap-68};

/* (sin(r) - r) / r^3 by r^2, |r| <= pi / 4 */
static const double sin_poly_f64[6] = { /* to 1.3e-16 */
    -0x15555555555555p-55,
    0x11111111110c70p-59,
    -0x1a01a019e9c40bp-65,
    0x171de37ab64ad2p-71,
    -0x1ae601a7b8941ap-78,
    0x15e0f440c8a91bp-85};

/* (cos(r) - 1 + r^2 / 2) / r^4 by r^2, |r| <= pi / 4 */
static const double cos_poly_f64[6] = { /* to 5.6e-17 */
    0x15555555555555p-57,
    -0x16c16c16c168c5p-62,
    0x1a01a019f36db1p-68,
    -0x127e4fa0108b1cp-74,
    0x11eeb55d9cba90p-81,
    -0x1907215634aab3p-89};

/* (a + 1) (1 - Phi(a)) / exp(-a^2 / 2) by (a - 4) / (a + 4), a >= 0 */
static const double mills_poly_f64[25] = { /* to 5.0e-17 */
    0x1e361ea6fba141p-54,
    -0x18c18f2086e360p-56,
    0x1cabd72a60facfp-59,
    0x1d4969f10e23fbp-58,
    -0x107c3c2582c2adp-57,
    0x125dd7205bc189p-58,
    -0x147d5fc74b6463p-60,
    -0x12b7f5d114ce39p-64,
    0x16c538340d8569p-63,
    -0x18c11ce1ffb80ap-66,
    -0x1707bc33ed5857p-66,
    0x16485facebb4ccp-68,
    0x1c94266721161cp-69,
    -0x1ccd1e7d507d61p-71,
    -0x15ee6b50de5244p-71,
    0x1b4b7b03edba7fp-74,
    0x129e42d5179a87p-73,
    -0x156a336f5fb2ddp-82,
    -0x1ebd98984d209fp-76,
    -0x133f312aa14f47p-78,
    0x15cba450389033p-78,
    0x17802bfa1c171bp-80,
    -0x16a50853856da3p-81,
    -0x1738216f8e2c9ep-83,
    0x19075821e4b248p-85};

/* log(2); an exponent times the first part is exact */
static const float ln2_f32[2] = {
    0xb17200p-24f,
    0xbfbe8ep-43f};
static const double ln2_f64[2] = {
    0x162e42fefa3800p-53,
    0x1ef35793c76730p-97};

/* pi / 2; an integer below 2^20 times each of the first two parts is exact */
static const double half_pi_f64[3] = {
    0x1921fb54400000p-52,
    0x10b4611a600000p-86,
    0x13198a2e037073p-121};
