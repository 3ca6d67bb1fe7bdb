/** Published ballots of real elections. */

/**
 * Burlington, Vermont, mayor, 3 March 2009: K Kiss, M Montroll, W Wright, S Smith, J Simpson, X write-in. From the city's
 * ballot file as published by ranked.vote, without skipped rankings, overvotes and the four blank ballots.
 */
export const BURLINGTON = `
  840 W; 355 K>M; 326 K; 272 W>S; 256 W>M; 234 K>M>S; 200 M>K; 178 M; 147 W>M>S; 145 M>K>S; 140 M>S; 125 K>S; 124 S;
  123 K>M>S>W>J; 122 W>S>M; 121 K>S>M; 120 K>M>S>J>W; 104 W>M>S>J>K; 103 K>M>J>S>W; 102 W>M>S>K>J; 101 W>S>M>K>J; 94
  M>W; 93 M>S>K; 93 S>W; 90 W>S>M>J>K; 90 S>M; 88 S>K>M; 83 S>M>K; 80 K>S>M>J>W; 80 W>K; 76 W>S>J>M>K; 72 M>K>S>W>J;
  71 K>M>W>S>J; 69 M>S>K>W>J; 69 W>M>K>S>J; 66 K>W; 62 M>S>W; 61 M>K>S>J>W; 60 K>M>S>W; 60 M>W>S>K>J; 58 S>K>M>J>W;
  57 M>W>S; 56 M>W>K>S>J; 55 K>S>M>W>J; 54 W>M>S>K; 53 M>S>K>J>W; 52 K>M>J; 52 W>S>K>M>J; 52 S>W>M>K>J; 52
  M>S>W>K>J; 51 S>K; 50 M>K>W>S>J; 50 W>K>M>S>J; 50 S>W>M; 48 K>M>W; 46 M>K>W; 46 W>M>K; 45 W>S>M>K; 45 W>K>S>M>J;
  43 S>M>K>W>J; 42 K>M>S>J; 41 K>M>J>S; 41 M>S>K>W; 39 K>W>M>S>J; 39 M>W>S>J>K; 38 M>K>S>W; 38 S>M>K>J>W; 37
  M>W>S>K; 37 S>M>W; 34 M>W>K; 32 S>K>M>W>J; 32 M>S>W>K; 31 K>W>M; 31 S>M>W>K>J; 30 W>S>K; 29 K>S>M>W; 28 S>W>M>J>K;
  27 S>K>M>W; 27 M>S>J>K>W; 27 M>K>J>S>W; 27 S>W>K>M>J; 27 S>M>W>K; 26 K>S>W>M>J; 26 S>M>K>W; 25 W>J; 24 K>M>W>S; 24
  K>J>M>S>W; 24 M>K>W>S; 24 W>K>M; 23 K>S>J>M>W; 23 M>S>W>J>K; 22 M>K>S>J; 21 K>S>M>J; 21 K>W>S>M>J; 21 W>K>M>J>S;
  21 W>K>S; 20 M>W>K>S; 19 K>J; 19 W>M>J>S>K; 19 W>S>K>M; 18 S>M>J>K>W; 17 W>S>K>J>M; 17 S>W>M>K; 16 K>J>M; 16
  S>K>W>M>J; 16 W>S>J; 16 S>W>K; 15 K>W>S>M; 15 K>S>J; 15 K>S>W>M; 15 W>K>M>S; 15 W>S>J>K>M; 15 W>M>K>S; 15
  S>M>J>W>K; 14 K>M>W>J>S; 14 S>K>J>M>W; 13 K>S>W; 13 K>M>J>W>S; 13 S>K>M>J; 13 M>S>K>J; 13 S>M>W>J>K; 12 K>W>M>J>S;
  12 K>W>S; 12 K>W>M>S; 12 K>J>S>M>W; 12 M>K>J; 12 W>K>S>J>M; 12 S>W>J>M>K; 12 S>W>K>M; 12 M>W>J>S>K; 11 S>K>W; 11
  M>K>W>J>S; 11 M>K>J>S; 11 W>X; 11 W>J>S>M>K; 11 M>S>J>W>K; 10 S>K>W>J>M; 10 W>S>M>J; 10 W>J>S>K>M; 10 X; 9
  K>S>J>M; 9 K>M>S>J>X; 9 K>S>M>J>X; 9 M>J>K>S>W; 9 S>J>M>K>W; 9 W>M>K>J>S; 9 M>J>S; 8 K>J>S; 8 K>J>M>S; 8 S>K>W>M;
  8 M>J>S>K>W; 8 S>M>K>J; 8 W>J>S; 8 M>J>S>W>K; 8 M>S>J; 7 K>J>M>W>S; 7 S>K>J; 7 M>J>K; 7 W>M>S>J; 7 W>M>J>K>S; 6
  K>S>J>W>M; 6 K>W>J>S>M; 6 K>W>S>J>M; 6 K>S>J>M>X; 6 K>J>S>M; 6 M>K>S>J>X; 6 S>J; 5 K>W>J>M>S; 5 K>S>W>J>M; 5
  S>J>K>M>W; 5 S>K>J>M; 5 S>K>M>X>J; 5 W>K>S>M; 5 W>S>J>M; 5 W>J>M>S>K; 5 S>W>K>J>M; 5 M>W>S>J; 5 M>X; 5 S>M>J; 5
  S>J>M; 4 K>X>M>S>J; 4 K>W>M>J; 4 K>S>M>X>J; 4 K>X; 4 S>J>K>M; 4 J>S>K>M>W; 4 M>K>J>W>S; 4 M>K>W>J; 4 W>M>X; 4
  W>S>X; 4 W>J>M>K>S; 4 W>J>M>K; 4 S>W>J; 4 M>S>W>X; 4 M>S>W>J; 4 M>J; 3 K>J>S>W>M; 3 K>M>J>S>X; 3 K>S>X>M>J; 3
  K>J>W>M>S; 3 X>K; 3 J>K; 3 M>K>X; 3 M>K>S>W>X; 3 S>J>M>K>X; 3 S>M>K>X>J; 3 W>J>X; 3 W>M>J; 3 S>W>J>M; 3 S>W>M>J; 3
  X>W; 3 J>W; 3 M>W>K>J>S; 3 M>W>J; 3 J; 3 S>M>X; 3 X>M; 2 K>J>S>W; 2 K>S>X; 2 K>M>W>X; 2 K>M>X; 2 K>W>S>J; 2
  K>J>M>X>S; 2 K>J>W; 2 S>K>X>M>J; 2 S>J>K; 2 S>J>K>W>M; 2 S>K>M>X>W; 2 S>K>J>M>X; 2 J>K>M>W>S; 2 J>K>M; 2 M>J>K>S;
  2 M>S>J>K; 2 M>X>K>S>J; 2 M>K>S>X>J; 2 M>S>K>J>X; 2 M>J>K>W; 2 S>M>J>K; 2 S>M>K>X>W; 2 S>M>K>W>X; 2 X>M>S>J>K; 2
  X>M>J>S>K; 2 X>M>S>K>J; 2 W>K>S>J; 2 W>K>J>S>M; 2 W>J>K>M>S; 2 W>K>J; 2 W>M>J>K; 2 W>S>M>J>X; 2 W>X>M>S>K; 2
  W>X>M>K; 2 S>J>W; 2 S>W>J>K>M; 2 S>J>W>M>K; 2 S>W>X; 2 M>J>W; 2 M>J>W>K>S; 2 M>J>W>S>K; 2 M>S>W>X>K; 2 M>S>W>J>X;
  2 M>J>S>W; 2 X>M>S; 1 K>X>M; 1 K>M>S>X; 1 K>M>S>W>X; 1 K>M>J>W; 1 K>S>M>X>W; 1 K>J>X; 1 K>S>M>X; 1 K>J>X>M>W; 1
  K>J>M>W>X; 1 K>X>W>J>S; 1 K>X>W>S>J; 1 K>S>J>X>M; 1 K>X>W; 1 K>J>S>X; 1 K>X>M>S; 1 K>W>S>M>X; 1 K>W>J>M; 1
  K>W>J>M>X; 1 K>M>X>W>J; 1 K>X>S>M>J; 1 K>J>M>S>X; 1 K>J>W>S>M; 1 K>J>S>X>W; 1 K>S>W>J; 1 K>M>J>X>W; 1 S>K>M>J>X; 1
  S>K>W>J>X; 1 S>K>M>W>X; 1 S>K>W>J; 1 S>J>K>W; 1 S>K>J>W; 1 X>K>S>J>M; 1 X>K>W>M; 1 X>K>M; 1 X>S>K>W>M; 1 J>K>M>S;
  1 J>K>S>M; 1 J>K>S>M>X; 1 J>K>M>S>W; 1 J>K>M>W>X; 1 J>K>W>M>S; 1 J>K>S>W; 1 J>S>K; 1 M>K>J>S>X; 1 M>J>S>K>X; 1
  M>K>X>W>J; 1 M>J>S>K; 1 M>J>X>S>K; 1 M>K>S>X>W; 1 M>K>X>W; 1 M>K>J>W; 1 M>X>S>K>J; 1 M>K>J>X>S; 1 S>M>J>K>X; 1
  S>M>K>J>X; 1 S>J>M>X>K; 1 S>J>X>M>K; 1 S>J>M>K; 1 X>M>K>S>J; 1 X>M>K>W; 1 J>S>M>K>W; 1 W>J>M; 1 W>X>J; 1 W>J>M>S;
  1 W>S>K>M>X; 1 W>J>S>M>X; 1 W>S>X>J; 1 W>X>K; 1 W>M>K>S>X; 1 W>X>M>S>J; 1 W>M>J>S; 1 W>S>M>X>K; 1 W>S>X>M; 1
  W>J>K>S>M; 1 W>J>K; 1 W>X>S>M>J; 1 W>M>X>S>K; 1 W>K>J>M; 1 W>M>S>K>X; 1 W>K>J>M>S; 1 W>S>X>M>J; 1 W>X>M; 1
  W>S>J>M>X; 1 W>S>M>X>J; 1 W>M>K>J; 1 W>J>S>X>M; 1 S>J>W>K>M; 1 S>W>K>M>X; 1 X>W>S>J>M; 1 X>W>J>M>K; 1 J>S>W; 1
  J>S>W>M>K; 1 J>W>K>S>M; 1 M>W>X>J>K; 1 M>S>J>W>X; 1 M>J>W>K; 1 M>S>J>W; 1 M>W>X; 1 M>J>W>X>K; 1 M>W>S>X; 1
  M>W>J>K>S; 1 S>J>M>W>K; 1 S>M>W>X>J; 1 S>M>W>J; 1 S>J>M>W; 1 J>M>W>S>K; 1 J>M>W>K>X; 1 J>M>S>W>K; 1 S>J>X; 1 S>X;
  1 X>S; 1 J>X; 1 M>X>J; 1 M>X>J>S; 1 J>S>M; 1 J>M>S
`.replaceAll('\n', ' ');

/**
 * Green Party of the United States, Steering Committee, 24 July 2005: 94 ballots for 4 seats, published with
 * Droop, J. Lundell's STV counter (file SC.blt).
 */
export const STEERING_COMMITTEE = `
  19 c7>c8>c9>c11>c12; 1 c13>c7>c5>c4>c2>c1; 1 c5>c13>c2>c7>c4>c1; 1 c13>c4>c1>c2; 1 c4>c2>c13>c1>c3; 1
  c4>c13>c2>c7; 1 c7>c8>c12>c1>c13>c9>c2>c4>c11>c5; 1 c1>c13>c3>c4>c7>c5>c2; 2 c4>c1>c13>c7>c3>c5>c2; 1
  c1>c4>c13>c2>c7>c5>c3>c9>c8>c12>c11; 2 c7>c1>c8>c9>c13>c3>c2>c4>c12>c5>c11; 1 c5>c1>c13>c3>c2>c4>c7; 1
  c7>c8>c9>c3>c12>c2>c13>c5>c1>c4; 2 c3>c13>c1>c2; 1 c4>c7>c13>c5; 1 c4>c5>c13>c3>c2>c1; 1 c7>c9>c8>c12>c11>c2>c13;
  3 c4>c3>c13>c1; 1 c13>c3>c4>c1>c7>c2>c5; 1 c3>c13>c4>c1>c7>c2>c5; 1 c13>c3>c4>c1>c2>c5>c7; 1
  c13>c1>c4>c2>c5>c3>c7; 1 c13>c4>c3>c1>c2>c5; 1 c3>c13>c1>c4>c2>c7>c5; 1 c4>c3>c13>c8; 2 c1>c4>c13>c7; 1
  c7>c3>c4>c13>c1>c5; 1 c9>c11>c8>c7; 1 c13>c3>c5>c2; 1 c4>c5>c2>c3>c13; 1 c13>c5>c2>c4>c1>c3>c7; 1
  c13>c5>c2>c1>c7>c3>c8; 1 c7>c8>c9>c12>c11; 1 c7>c8>c4>c9>c12; 1 c13>c4>c7>c2>c8; 1 c4>c13>c2>c7>c1>c8; 1
  c7>c8>c11>c9>c12; 1 c8>c4>c7>c11>c13>c9; 1 c7>c4>c2>c13; 1 c13>c1>c7>c4; 1 c4>c1>c2>c13>c9>c5; 1
  c1>c4>c13>c5>c3>c2; 1 c7>c5>c4>c8>c11>c2>c13>c1>c3>c9>c12; 1 c4>c8>c7>c5>c13>c2>c1>c3>c9; 1
  c3>c4>c7>c2>c12>c13>c8>c1>c5; 2 c7>c8>c11>c9; 1 c13>c2>c4>c7>c5>c1; 1 c7>c8>c9>c11; 1
  c2>c7>c8>c12>c13>c11>c1>c5>c9; 1 c4>c7>c8>c2; 1 c4>c13>c5>c2>c1>c3; 1 c13>c4>c7>c3>c1>c5>c8>c2>c9; 1
  c4>c3>c13>c1>c7; 1 c13>c4>c1>c3; 1 c4>c1>c13>c3>c2>c7>c8; 1 c2>c4>c13>c5; 1 c2>c3>c4>c1>c13>c7; 1 c3>c1>c4>c13; 1
  c4>c3>c1>c2>c11; 1 c3>c1>c4>c13>c2>c7; 1 c4>c1>c2>c8>c3; 2 c4>c1>c5>c13>c2>c3; 1 c13>c7>c3>c2>c5>c4>c1; 1
  c13>c5>c7>c2>c4>c1; 1 c1>c13>c3>c7>c2>c4>c5; 2 c13>c1>c2>c7>c4>c5>c3; 1 c3>c1>c4>c2>c13>c7>c9>c5>c8
`.replaceAll('\n', ' ');
