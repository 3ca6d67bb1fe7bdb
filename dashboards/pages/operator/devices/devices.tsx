import { useState } from 'preact/hooks';
import type { DeviceAnswer, RegisteredDevice } from '../../../../client/answers.ts';
import { formatNumber } from '../../words/language.ts';
import { useDesk } from '../context.ts';
import { isFound, Search } from '../search.tsx';
import { useReading } from '../use-reading.ts';
import { tell } from '../words.ts';
import { ChosenBar } from './chosen/bar.tsx';
import { ChooseDevices } from './chosen/choose.tsx';
import { ClaimCodes } from './chosen/codes.tsx';
import { TaskPanel } from './chosen/task-panel.tsx';
import { TASKS } from './chosen/tasks.ts';
import { countsOf } from './device-import.tsx';
import { DeviceLine } from './line.tsx';
import { NewDeviceForm } from './new-device.tsx';
import { NicknamesPanel } from './nicknames.tsx';
import { Secrets } from './secrets.tsx';
import { Trace } from './trace.tsx';

const READ_EVERY_MS = 10_000;
/** How many rows are shown initially, and how many each click on the button below adds. */
const PAGE = 200;

/** Every registered device: who has it, its status, and the weight of its vote. */
export function Devices() {
  const {
    api,
    deployment,
    may,
    notify,
    secrets,
    setSecrets,
    tasks: { run, ask, putAway },
  } = useDesk();
  const [devices, setDevices] = useState<readonly DeviceAnswer[]>();
  const [sought, seek] = useState('');
  const [shown, show] = useState(PAGE);
  const [traced, trace] = useState('');
  const [ticked, tick] = useState<ReadonlySet<string>>(new Set());
  const reload = async () => {
    const all = await api.devices().catch(() => undefined);
    if (all) setDevices(all);
  };
  useReading(reload, READ_EVERY_MS, [api]);
  const registered = async (made: readonly RegisteredDevice[], text: string) => {
    setSecrets((before) => [...before, ...made]);
    notify({ text, isBad: false });
    await reload();
  };
  const traceOne = (device: string) => {
    trace(device);
    document.querySelector<HTMLElement>('#trace')?.focus();
  };
  const found = (devices ?? []).filter(({ device, label, group, lentTo }) =>
    isFound(sought, device, label, group, lentTo),
  );
  const tasks = TASKS.filter(({ needs }) => may(needs));
  const chosen = (devices ?? []).filter(({ device }) => ticked.has(device));
  const areAllChosen = found.length > 0 && found.every(({ device }) => ticked.has(device));
  /** Adds devices to those that are chosen, or takes them away. */
  const choose = (ids: readonly string[], isWanted: boolean) => {
    const next = new Set(ticked);
    for (const id of ids) {
      if (isWanted) next.add(id);
      else next.delete(id);
    }
    tick(next);
  };
  const endTask = () => {
    putAway();
    // The bar is drawn again only now, and is gone if its devices are.
    setTimeout(() => (document.getElementById('chosen') ?? document.getElementById('main'))?.focus());
  };
  return (
    <>
      <div class="head">
        <h1>
          {tell('nav.devices')} <small>{devices && formatNumber(devices.length)}</small>
        </h1>
        <Search sought={sought} onSeek={seek} />
      </div>
      {deployment.door === 'open' && <p class="panel hint">{tell('devices.open')}</p>}
      {may('device.register') && (
        <NewDeviceForm
          onRegistered={(made) => registered([made], tell('devices.registered', { n: formatNumber(1) }))}
          onImported={(answer) => registered(answer.devices, tell('import.done', countsOf(answer)))}
        />
      )}
      {may('guest.moderate') && <NicknamesPanel />}
      {run && (
        <TaskPanel
          key={run.task.name}
          run={run}
          onDone={reload}
          onAgain={(ids) => tick(new Set(ids))}
          onClose={endTask}
        />
      )}
      <ClaimCodes />
      {secrets.length > 0 && (
        <Secrets
          secrets={secrets}
          onForget={() => setSecrets((before) => before.filter((one) => !secrets.includes(one)))}
        />
      )}
      <p class="unseen" role="status">
        {chosen.length > 0 && tell('chosen.count', { n: formatNumber(chosen.length) })}
      </p>
      {tasks.length > 0 && devices && devices.length > 0 && (
        <ChooseDevices devices={devices} onChoose={(ids) => choose(ids, true)} />
      )}
      <div class="listed">
        {devices && devices.length > 0 && (
          <section class="scroll panel" aria-label={tell('nav.devices')}>
            <table class="list wide">
              <caption class="unseen">{tell('nav.devices')}</caption>
              <thead>
                <tr>
                  {tasks.length > 0 && (
                    <th scope="col">
                      <label class="tick">
                        <input
                          type="checkbox"
                          checked={areAllChosen}
                          indeterminate={!areAllChosen && found.some(({ device }) => ticked.has(device))}
                          onChange={() =>
                            choose(
                              found.map(({ device }) => device),
                              !areAllChosen,
                            )
                          }
                        />
                        <span class="unseen">{tell('chosen.all', { n: formatNumber(found.length) })}</span>
                      </label>
                    </th>
                  )}
                  {(
                    ['device', 'label', 'group', 'weight', 'lentTo', 'access', 'seen', 'battery', 'signal'] as const
                  ).map((column) => (
                    <th key={column} scope="col">
                      {tell(`devices.${column}`)}
                    </th>
                  ))}
                  <th scope="col">
                    <span class="unseen">{tell('devices.actions')}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {found.slice(0, shown).map((device) => (
                  <DeviceLine
                    key={device.device}
                    device={device}
                    isChosen={ticked.has(device.device)}
                    onChoose={tasks.length > 0 ? () => choose([device.device], !ticked.has(device.device)) : undefined}
                    onDone={reload}
                    onTrace={() => traceOne(device.device)}
                  />
                ))}
              </tbody>
            </table>
          </section>
        )}
        {found.length > shown && (
          <button type="button" class="quiet" onClick={() => show(shown + PAGE)}>
            {tell('more', { n: formatNumber(found.length - shown) })}
          </button>
        )}
        {chosen.length > 0 && !run && (
          <ChosenBar
            count={chosen.length}
            tasks={tasks}
            onTask={(task) => ask(task, chosen)}
            onClear={() => tick(new Set())}
          />
        )}
      </div>
      <Trace device={traced} onDevice={trace} />
    </>
  );
}
