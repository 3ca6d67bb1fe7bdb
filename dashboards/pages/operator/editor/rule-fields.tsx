import type { Definition } from '../../../../core/voting/kinds/definition.ts';
import { MAJORITIES, type Quorum } from '../../../../core/voting/rules/majority.ts';
import {
  allowedVisibilities,
  SECRECIES,
  type Secrecy,
  TIE_BREAKS,
  type Visibility,
} from '../../../../core/voting/rules/settings.ts';
import { tell } from '../words.ts';
import { type EditedPoll, type EditorProps, hasEffect } from './draft.ts';
import { FlagField, ListField, NumberField, SelectField, TextField } from './inputs.tsx';

interface RuleFieldsProps extends EditorProps {
  /** The draft with all defaults. */
  readonly definition: Definition;
}

/** Rules that polls of any kind may have. */
export function RuleFields({ draft, definition, onChange }: RuleFieldsProps) {
  const { revote = 'last', eligible = 'anyone', quorum, majority } = draft;
  const isMax = revote.startsWith('max');
  const named = majorityName(majority);
  const groups = Array.isArray(eligible) ? eligible : undefined;
  return (
    <div class="row">
      <SelectField
        name="revote"
        label={tell('field.revote')}
        values={['last', 'first', 'max']}
        value={isMax ? 'max' : revote}
        onChange={(one) => onChange({ revote: one === 'max' ? 'max 3' : (one as 'last' | 'first') })}
      />
      {isMax && (
        <NumberField
          name="most"
          label={tell('field.most')}
          value={Number(revote.slice(4))}
          onChange={(n) => onChange({ revote: `max ${n ?? 3}` })}
        />
      )}
      <FlagField
        name="withdraw"
        label={tell('field.withdraw')}
        isOn={draft.withdraw === true}
        onChange={(isOn) => onChange({ withdraw: isOn || undefined })}
      />
      <SelectField
        name="visibility"
        label={tell('field.visibility')}
        values={allowedVisibilities(draft)}
        value={definition.visibility}
        onChange={(one) => onChange({ visibility: one as Visibility })}
      />
      <SelectField
        name="secrecy"
        label={tell('field.secrecy')}
        values={SECRECIES}
        value={draft.secrecy ?? 'named'}
        onChange={(one) => onChange(withSecrecy(draft, one as Secrecy))}
      />
      <SelectField
        name="eligible"
        label={tell('field.eligible')}
        values={['anyone', 'registered', 'guests', 'groups']}
        value={groups ? 'groups' : (eligible as string)}
        onChange={(one) => onChange({ eligible: one === 'groups' ? [] : (one as 'anyone') })}
      />
      {groups && (
        <ListField
          name="groups"
          label={tell('field.groups')}
          list={groups}
          onChange={(list) => onChange({ eligible: list })}
        />
      )}
      <FlagField
        name="weighted"
        label={tell('field.weighted')}
        isOn={draft.weighted === true}
        onChange={(isOn) => onChange({ weighted: isOn || undefined })}
      />
      <FlagField
        name="byGroup"
        label={tell('field.byGroup')}
        isOn={draft.byGroup === true}
        onChange={(isOn) => onChange({ byGroup: isOn || undefined })}
      />
      {hasEffect('tieBreak', draft) && (
        <SelectField
          name="tieBreak"
          label={tell('field.tieBreak')}
          values={TIE_BREAKS}
          value={draft.tieBreak ?? 'none'}
          onChange={(one) => onChange({ tieBreak: one as never })}
        />
      )}
      {hasEffect('majority', draft) && (
        <SelectField
          name="majority"
          label={tell('field.majority')}
          values={['none', ...Object.keys(MAJORITIES), ...(named === 'own' ? ['own'] : [])]}
          value={named}
          onChange={(one) => one !== 'own' && onChange({ majority: one === 'none' ? undefined : one })}
        />
      )}
      <QuorumFields quorum={quorum} onChange={(one) => onChange({ quorum: one })} />
    </div>
  );
}

function QuorumFields({
  quorum,
  onChange,
}: {
  quorum: Quorum | undefined;
  onChange: (quorum: Quorum | undefined) => void;
}) {
  const basis = quorum === undefined ? 'none' : quorum.number === undefined ? 'share' : 'number';
  const make: Readonly<Record<string, Quorum | undefined>> = {
    none: undefined,
    share: { share: '>= 1/2' },
    number: { number: 10 },
  };
  return (
    <>
      <SelectField
        name="quorum"
        label={tell('field.quorum')}
        values={['none', 'share', 'number']}
        value={basis}
        onChange={(one) => onChange(make[one])}
      />
      {basis === 'share' && quorum && (
        <TextField
          name="quorumShare"
          label={tell('field.quorumShare')}
          value={quorum.share ?? ''}
          onChange={(share) => onChange({ ...quorum, share })}
        />
      )}
      {basis === 'number' && quorum && (
        <NumberField
          name="quorumNumber"
          label={tell('field.quorumNumber')}
          value={quorum.number}
          onChange={(number) => onChange({ ...quorum, number: number ?? 1 })}
        />
      )}
      {quorum && (
        <>
          <SelectField
            name="quorumCount"
            label={tell('field.quorumCount')}
            values={['present', 'cast']}
            value={quorum.count ?? 'present'}
            onChange={(one) => onChange({ ...quorum, count: one as 'cast' })}
          />
          <SelectField
            name="quorumAt"
            label={tell('field.quorumAt')}
            values={['close', 'open', 'both']}
            value={quorum.at ?? 'close'}
            onChange={(one) => onChange({ ...quorum, at: one as 'close' })}
          />
        </>
      )}
    </>
  );
}

/** Another secrecy. A visibility that it does not allow gives way to the default. */
function withSecrecy({ visibility }: EditedPoll, secrecy: Secrecy): Partial<EditedPoll> {
  const isAllowed = visibility === undefined || allowedVisibilities({ secrecy }).includes(visibility);
  return isAllowed ? { secrecy } : { secrecy, visibility: undefined };
}

function majorityName(majority: EditedPoll['majority']): string {
  if (majority === undefined) return 'none';
  if (typeof majority === 'string') return majority;
  const same = Object.entries(MAJORITIES).find(([, rules]) => JSON.stringify(rules) === JSON.stringify(majority));
  return same?.[0] ?? 'own';
}
