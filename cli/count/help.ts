/** What `pollcast count --help` says after the list of flags. */
export const HELP = `
Formats:
  blt      OpenSTV and OpaVote (.blt)
  preflib  PrefLib orders, new or old (.soc .soi .toc .toi)
  cvr      table with a row for each ballot below a header (.csv): columns are ranks and cells
           hold names, or columns are candidates and cells hold ranks
  scores   table with a column for each candidate, and grades in its cells (.csv with --method star,
           score or approval)
  audit    audit bundle (pollcast audit export); counted like its poll unless flags say otherwise
  Files may be compressed (.gz), and encoded in UTF-8, UTF-16 or Windows-1252.

Result:
  Winners win no matter how ties are broken. If a tie affects the outcome and nothing breaks it,
  "undecided between" names those who are level; --tie-break or --lot then decides.

Exit codes:
  0  counted, even if something is undecided
  2  the file cannot be read or is malformed (file:line:column: what is wrong), or flags do not fit

Examples:
  pollcast count council.blt
  pollcast count council.blt --rules meek --seats 3
  pollcast count council.blt --lot 'Jones,"Smith, A"'
  pollcast count cvr.csv --columns 'Rank 1,Rank 2,Rank 3' --max-skipped all
  pollcast count scores.csv --method star --json`;
