import { useState } from 'preact/hooks';
import type { NewOperatorAnswer, Role } from '../../../../client/answers.ts';
import { useAttempt, useDesk } from '../context.ts';
import { tell } from '../words.ts';

/** From the one that may do least to the one that may do most. */
const ROLES: readonly Role[] = ['viewer', 'auditor', 'presenter', 'operator', 'admin'];

/** Creates an operator. */
export function NewOperatorForm({ onCreated }: { onCreated: (made: NewOperatorAnswer) => Promise<void> }) {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('presenter');
  const [rooms, setRooms] = useState('');
  const [until, setUntil] = useState('');
  const create = async (event: Event) => {
    event.preventDefault();
    const listed = rooms
      .split(',')
      .map((room) => room.trim())
      .filter((room) => room !== '');
    const wanted = {
      operator: name.trim(),
      role,
      rooms: listed.length > 0 ? listed : null,
      expiresAt: until === '' ? null : new Date(until).toISOString(),
    };
    const isDone = await attempt(async () => onCreated(await api.createOperator(wanted)));
    if (!isDone) return;
    setName('');
    setRooms('');
    setUntil('');
  };
  return (
    <details class="panel">
      <summary>{tell('operators.new')}</summary>
      <form class="row" onSubmit={create}>
        <label>
          {tell('operators.name')}
          <input name="operator" required value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />
        </label>
        <label>
          {tell('operators.role')}
          <select name="role" value={role} onChange={({ currentTarget }) => setRole(currentTarget.value as Role)}>
            {ROLES.map((one) => (
              <option key={one} value={one}>
                {tell(`role.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {tell('operators.roomsWritten')}
          <input
            name="rooms"
            value={rooms}
            disabled={role === 'admin'}
            onInput={({ currentTarget }) => setRooms(currentTarget.value)}
          />
        </label>
        <label>
          {tell('operators.expires')}
          <input
            type="datetime-local"
            name="expires"
            value={until}
            onInput={({ currentTarget }) => setUntil(currentTarget.value)}
          />
        </label>
        <p class="hint whole">{tell(`role.${role}.may`)}</p>
        <button type="submit" class="send">
          {tell('operators.create')}
        </button>
      </form>
    </details>
  );
}
