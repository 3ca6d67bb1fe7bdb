/** Which parts of the product may import which others, and why. Checked by `npm run lint`. */
const parts = ['broker', 'processors', 'dashboards', 'devices-sim'];
const outer = ['app', 'cli', 'bench', 'test'];

module.exports = {
  forbidden: [
    {
      name: 'parts-meet-in-core',
      comment: 'Broker, processors and dashboards run in different processes: they share nothing but core.',
      severity: 'error',
      from: { path: `^(${parts.join('|')})/` },
      to: { path: `^(${[...parts, ...outer].join('|')})/`, pathNot: '^$1/' },
    },
    {
      name: 'core-stands-below',
      comment: 'core does not depend on anything that is built on it.',
      severity: 'error',
      from: { path: '^core/' },
      to: { path: `^(${[...parts, ...outer].join('|')}|client)/` },
    },
    {
      name: 'voting-is-pure',
      comment: 'Voting rules do no I/O: they run in servers, in browsers and in audits. TypeBox describes settings.',
      severity: 'error',
      from: { path: '^core/voting/' },
      to: { pathNot: '^core/voting/|typebox' },
    },
    {
      name: 'voting-in-layers',
      comment:
        'rules ← count ← kinds ← poll ← result: each layer may use those before it. So counting never depends on kinds.',
      severity: 'error',
      from: { path: '^core/voting/rules/' },
      to: { path: '^core/voting/(count|kinds|poll|result)/' },
    },
    {
      name: 'count-knows-no-kinds',
      comment: 'Votes are tallied without interpreting their choices.',
      severity: 'error',
      from: { path: '^core/voting/count/' },
      to: { path: '^core/voting/(kinds|poll|result)/' },
    },
    {
      name: 'kinds-know-no-polls',
      comment: 'A kind parses choices and computes a result from ballots. It does not depend on the state of a poll.',
      severity: 'error',
      from: { path: '^core/voting/kinds/' },
      to: { path: '^core/voting/(poll|result)/' },
    },
    {
      name: 'files-are-counted-without-a-server',
      comment: 'Reading and counting a ballot file needs only the voting rules, and verifying audit bundles.',
      severity: 'error',
      from: { path: '^core/ballot-files/' },
      to: { path: '^core/', pathNot: '^core/(ballot-files|voting|audit)/' },
    },
    {
      name: 'simulator-judges-from-outside',
      comment: 'The simulator uses only what devices and viewers can use: MQTT and the public client library.',
      severity: 'error',
      from: { path: '^devices-sim/' },
      to: { path: '^core/' },
    },
    {
      name: 'client-knows-only-types',
      comment: 'The client library runs in browsers and in third-party programs, so it must not contain server code.',
      severity: 'error',
      from: { path: '^client/' },
      to: { pathNot: '^client/|node_modules/eventsource-parser/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-app-chooses-a-store',
      comment: 'Everything else uses the interface in core/store/store.ts.',
      severity: 'error',
      from: { path: `^(${parts.join('|')}|client|cli|core/(?!store/))` },
      to: { path: '^core/store/(embedded/|redis/|series/(embedded|influx))' },
    },
    {
      name: 'cli-parses-and-prints',
      comment: 'Commands call the API through the client, or start a role in app/.',
      severity: 'error',
      from: { path: '^cli/' },
      to: { path: '^(broker|processors|dashboards)/' },
    },
    {
      name: 'pages-run-in-browsers',
      comment: 'Pages use the voting rules and the client library, but no server code.',
      severity: 'error',
      from: { path: '^dashboards/pages/' },
      to: {
        pathNot:
          '^(dashboards/pages|client|core/voting)/|node_modules/(preact|uplot|uqr|u8-mqtt|eventsource-parser)/|typebox',
      },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-circles-between-folders',
      severity: 'error',
      scope: 'folder',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(build|node_modules|scripts)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
