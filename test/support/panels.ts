import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathInCheckout } from './root.ts';

const DASHBOARDS = pathInCheckout('grafana/dashboards/');

/** A query of a dashboard, ready to be sent: to InfluxDB's /query or to Prometheus's /api/v1/query. */
export interface PanelQuery {
  readonly dashboard: string;
  /** The panel's title, or `variable <name>` or `annotation <name>` for queries of the dashboard itself. */
  readonly panel: string;
  readonly kind: 'influxdb' | 'prometheus';
  readonly query: string;
}

/** The values that Grafana substitutes for variables, by name. */
type Macros = Readonly<Record<string, string>>;

interface Source {
  readonly type?: string;
}

interface Target {
  readonly datasource?: Source;
  /** InfluxQL. */
  readonly query?: string;
  /** PromQL. */
  readonly expr?: string;
}

interface Panel {
  readonly title?: string;
  readonly datasource?: Source;
  readonly targets?: readonly Target[];
  /** The panels of a collapsed row. */
  readonly panels?: readonly Panel[];
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly datasource?: Source;
  readonly query?: string;
  readonly allValue?: string;
  readonly current?: { readonly value?: unknown };
}

interface Annotation {
  readonly name: string;
  readonly datasource?: Source;
  readonly target?: Target;
}

interface Dashboard {
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating?: { readonly list: readonly Variable[] };
  readonly annotations?: { readonly list: readonly Annotation[] };
}

/**
 * Every query of every dashboard in grafana/dashboards: of panels, template variables and annotations.
 *
 * @param variables values of template variables by name; the others have the dashboard's initial values
 * @throws Error when a query uses a variable without a value, or is for an unknown type of data source
 */
export function panelQueries(variables: Readonly<Record<string, string>>): PanelQuery[] {
  const files = readdirSync(DASHBOARDS).filter((name) => name.endsWith('.json'));
  return files.sort().flatMap((name) => {
    const dashboard = JSON.parse(readFileSync(join(DASHBOARDS, name), 'utf8')) as Dashboard;
    return queriesOf(dashboard, { ...macros(), ...initialValues(dashboard), ...variables });
  });
}

function queriesOf(dashboard: Dashboard, values: Macros): PanelQuery[] {
  const { title, templating, annotations } = dashboard;
  const found: PanelQuery[] = [];
  const add = (panel: string, source: Source | undefined, text: string | undefined) => {
    const where = `${title}, ${panel}`;
    const kind = kindOf(source, where);
    if (!text) throw new Error(`${where}: a query without text`);
    found.push({ dashboard: title, panel, kind, query: fill(text, values, where) });
  };
  for (const { name, type, datasource, query } of templating?.list ?? []) {
    if (type === 'query') add(`variable ${name}`, datasource, query);
  }
  for (const { name, datasource, target } of annotations?.list ?? []) {
    add(`annotation ${name}`, datasource, target?.query ?? target?.expr);
  }
  for (const { title = 'untitled', datasource, targets = [] } of flattened(dashboard.panels)) {
    for (const target of targets) add(title, target.datasource ?? datasource, target.query ?? target.expr);
  }
  return found;
}

function flattened(panels: readonly Panel[]): Panel[] {
  return panels.flatMap((panel) => [panel, ...flattened(panel.panels ?? [])]);
}

function kindOf(source: Source | undefined, where: string): PanelQuery['kind'] {
  if (source?.type === 'influxdb' || source?.type === 'prometheus') return source.type;
  throw new Error(`${where}: a query for ${source?.type ?? 'no data source'}`);
}

/** Grafana's built-in variables for the last hour in steps of 1 s. The range ends in the future, to include new points. */
function macros(): Macros {
  const nowMs = Date.now();
  return {
    timeFilter: 'time > now() - 1h',
    interval: '1s',
    __interval: '1s',
    __interval_ms: '1000',
    __rate_interval: '1m',
    __range: '1h',
    __from: String(nowMs - 3_600_000),
    __to: String(nowMs + 60_000),
  };
}

/** The initial values of a dashboard's variables: the value that stands for "All" if there is one, else the saved choice. */
function initialValues({ templating }: Dashboard): Macros {
  const values: Record<string, string> = {};
  for (const { name, current, allValue } of templating?.list ?? []) {
    if (allValue !== undefined) values[name] = allValue;
    else if (typeof current?.value === 'string') values[name] = current.value;
  }
  return values;
}

/** Grafana's three ways to name a variable: `$name`, `${name}` and `[[name]]`, the last two also with `:format`. */
const VARIABLE = /\$(\w+)|\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)(?::(\w+))?\]\]/g;

function fill(text: string, values: Macros, where: string): string {
  return text.replace(VARIABLE, (_, plain?: string, braced?: string, how?: string, old?: string, oldHow?: string) => {
    const name = plain ?? braced ?? old ?? '';
    const value = values[name];
    if (value === undefined) throw new Error(`${where}: unknown variable ${name}`);
    return (how ?? oldHow) === 'regex' ? value.replace(/[\\^$*+?.()|[\]{}/]/g, '\\$&') : value;
  });
}
