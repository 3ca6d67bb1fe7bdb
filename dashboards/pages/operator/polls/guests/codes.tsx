import { useState } from 'preact/hooks';
import type { JoinCodesAnswer } from '../../../../../client/answers.ts';
import { withCode } from '../../../screen/join.tsx';
import { say } from '../../../words/language.ts';
import { CodeSheet, type SheetCode } from '../../code-sheet.tsx';
import { useAttempt, useDesk } from '../../context.ts';
import { tell } from '../../words.ts';

/** How many codes are on a sheet at most; the command line makes longer lists. */
const MAX_CODES = 1_000;

type Code = JoinCodesAnswer['codes'][number];

/** Codes for single guests, as a sheet to be printed and cut up, and as a table. */
export function Codes({ room, address }: { room: string; address: string }) {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [first, setFirst] = useState('1');
  const [count, setCount] = useState('50');
  const [codes, setCodes] = useState<readonly Code[]>([]);
  const make = (event: Event) => {
    event.preventDefault();
    void attempt(async () => setCodes((await api.joinCodes(room, Number(count), Number(first))).codes));
  };
  const number = (name: 'count' | 'first', value: string, set: (value: string) => void, max: number) => (
    <label>
      {tell(`codes.${name}`)}
      <input
        name={name}
        type="number"
        min="1"
        max={max}
        required
        value={value}
        onInput={({ currentTarget }) => set(currentTarget.value)}
      />
    </label>
  );
  return (
    <>
      <form class="row" onSubmit={make}>
        {number('count', count, setCount, MAX_CODES)}
        {number('first', first, setFirst, 32_767)}
        <button type="submit" class="send">
          {tell('codes.make')}
        </button>
      </form>
      <p class="hint">{tell('codes.about')}</p>
      {codes.length > 0 && <Sheet room={room} address={address} codes={codes} />}
    </>
  );
}

function Sheet({ room, address, codes }: { room: string; address: string; codes: readonly Code[] }) {
  const sheet = codes.map(({ number, code, url }): SheetCode => {
    const text = url ?? withCode({ address, code });
    return {
      code,
      head: (
        <>
          <span dir="auto">{room}</span> · {number}
        </>
      ),
      foot: address.replace(/^https?:\/\//, ''),
      qr: { text, label: say('join.qr', { address: text }) },
      row: `${number},${code},${text}`,
    };
  });
  return (
    <CodeSheet
      name={tell('codes.sheet', { room })}
      file={`codes-${room}.csv`}
      columns="number,code,url"
      codes={sheet}
    />
  );
}
