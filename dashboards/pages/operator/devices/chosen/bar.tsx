import { formatNumber } from '../../../words/language.ts';
import { tell } from '../../words.ts';
import type { Task } from './tasks.ts';

interface ChosenBarParts {
  readonly count: number;
  readonly tasks: readonly Task[];
  readonly onTask: (task: Task) => void;
  readonly onClear: () => void;
}

/** What can be done with the devices that are chosen. It stays in sight while the list is scrolled. */
export function ChosenBar({ count, tasks, onTask, onClear }: ChosenBarParts) {
  return (
    <section class="chosen-bar" aria-labelledby="chosen">
      <div class="chosen-count">
        <p id="chosen" tabIndex={-1}>
          {tell('chosen.count', { n: formatNumber(count) })}
        </p>
        <button type="button" class="quiet" onClick={onClear}>
          {tell('chosen.clear')}
        </button>
      </div>
      <div class="actions">
        {tasks.map((task) => (
          <button
            key={task.name}
            type="button"
            class={task.name === 'revoke' ? 'quiet danger' : 'quiet'}
            onClick={() => onTask(task)}
          >
            {tell(`task.${task.name}`)}
          </button>
        ))}
      </div>
    </section>
  );
}
