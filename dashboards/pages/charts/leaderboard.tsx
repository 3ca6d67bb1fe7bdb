import type { Leaderboard, LeaderboardPlace } from '../../../core/voting/result/leaderboard.ts';
import { formatNumber, say } from '../words/language.ts';

const MOST_SHOWN = 10;

/** The best players and teams, as tables. */
export function LeaderboardTable({ board }: { board: Leaderboard }) {
  return (
    <div class="leaderboard">
      {board.teams.length > 0 && <Places caption={say('board.teams')} places={board.teams} />}
      <Places caption={say('board.players')} places={board.players} />
    </div>
  );
}

function Places({ caption, places }: { caption: string; places: readonly LeaderboardPlace[] }) {
  return (
    <table>
      <caption>{caption}</caption>
      <thead class="unseen">
        <tr>
          <th scope="col">{say('board.place')}</th>
          <th scope="col">{say('board.name')}</th>
          <th scope="col">{say('board.points')}</th>
        </tr>
      </thead>
      <tbody>
        {places.slice(0, MOST_SHOWN).map(({ place, name, label, points }) => (
          <tr key={name} data-place={place}>
            <td>{formatNumber(place)}.</td>
            <th scope="row" dir="auto">
              {label ?? name}
            </th>
            <td>{formatNumber(points)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
