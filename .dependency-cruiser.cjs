/** Rooms never import each other; they meet in core. Only cli composes. core/voting is pure. */
const rooms = ['broker', 'processors', 'dashboards', 'devices-sim'];

module.exports = {
  forbidden: [
    {
      name: 'rooms-meet-in-core',
      comment: 'A room imports itself and core, never another room.',
      severity: 'error',
      from: { path: `^(${rooms.join('|')})/` },
      to: { path: `^(${rooms.join('|')}|cli|bench|test)/`, pathNot: '^$1/' },
    },
    {
      name: 'core-stands-below',
      comment: 'core knows nothing of what is built on it.',
      severity: 'error',
      from: { path: '^core/' },
      to: { path: `^(${rooms.join('|')}|cli|bench|test)/` },
    },
    {
      name: 'voting-is-pure',
      comment: 'The rules: no I/O, no packages, nothing but themselves.',
      severity: 'error',
      from: { path: '^core/voting/' },
      to: { pathNot: '^core/voting/' },
    },
    {
      name: 'simulator-judges-from-outside',
      comment: 'The simulator sees only what a device and a viewer see.',
      severity: 'error',
      from: { path: '^devices-sim/' },
      to: { path: '^core/' },
    },
    {
      name: 'only-cli-chooses-a-store',
      comment: 'Everybody else works with the contract in core/store/store.ts.',
      severity: 'error',
      from: { path: `^(${rooms.join('|')}|core/(?!store/))` },
      to: { path: '^core/store/(embedded/|redis/|series/(embedded|influx))' },
    },
    {
      name: 'pages-run-in-browsers',
      comment: 'Pages know the rules and the stream, and nothing of a server.',
      severity: 'error',
      from: { path: '^dashboards/(web|stream)/' },
      to: {
        pathNot: '^(dashboards/(web|stream)|core/voting)/|node_modules/(preact|uplot|uqr|u8-mqtt|eventsource-parser)/',
      },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(build|node_modules|scripts)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
