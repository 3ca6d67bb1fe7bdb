import { tell } from '../words.ts';
import type { EditorProps } from './draft.ts';
import { Instant, NumberField } from './inputs.tsx';

/** When a poll opens and closes automatically. */
export function TimeFields({ draft, onChange }: EditorProps) {
  return (
    <div class="row">
      <Instant name="opensAt" value={draft.opensAt} onChange={(opensAt) => onChange({ opensAt })} />
      <Instant name="closesAt" value={draft.closesAt} onChange={(closesAt) => onChange({ closesAt })} />
      <NumberField
        name="durationMs"
        label={tell('field.durationMs')}
        value={inSeconds(draft.durationMs)}
        onChange={(s) => onChange({ durationMs: inMs(s) })}
      />
      <NumberField
        name="lateGraceMs"
        label={tell('field.lateGraceMs')}
        value={inSeconds(draft.lateGraceMs)}
        onChange={(s) => onChange({ lateGraceMs: inMs(s) })}
      />
    </div>
  );
}

const inSeconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000);
const inMs = (seconds: number | undefined) => (seconds === undefined ? undefined : Math.round(seconds * 1000));
