import type { View } from '../charts/drawing.ts';
import { say } from '../words/language.ts';

/** The presenter’s buttons; each button also has a keyboard shortcut. */
export function Controls(props: {
  /** The current view, if there are several. */
  view: View | undefined;
  onTurn: (by: number) => void;
  /** The current round, if rounds are shown one by one. */
  step: { readonly at: number; readonly of: number } | undefined;
  onStep: (by: number) => void;
  isHidden: boolean;
  onHide: () => void;
  isHelp: boolean;
  onHelp: () => void;
}) {
  const { view, onTurn, step, onStep, isHidden, onHide, isHelp, onHelp } = props;
  return (
    <nav class="controls" aria-label={say('controls')}>
      {view && (
        <>
          <button type="button" onClick={() => onTurn(-1)} aria-label={say('control.previous')}>
            <span aria-hidden="true">‹</span>
          </button>
          <span class="view" aria-live="polite">
            {say(`view.${view}`)}
          </span>
          <button type="button" onClick={() => onTurn(1)} aria-label={say('control.next')}>
            <span aria-hidden="true">›</span>
          </button>
        </>
      )}
      {step && (
        <>
          <button
            type="button"
            onClick={() => onStep(-1)}
            disabled={step.at === 0}
            aria-label={say('control.stepBack')}
          >
            <span aria-hidden="true">↑</span>
          </button>
          <button
            type="button"
            onClick={() => onStep(1)}
            disabled={step.at >= step.of - 1}
            aria-label={say('control.stepOn')}
          >
            <span aria-hidden="true">↓</span>
          </button>
        </>
      )}
      <button type="button" onClick={onHide} aria-pressed={isHidden}>
        {say(isHidden ? 'control.reveal' : 'control.hide')}
      </button>
      <button type="button" onClick={toggleFullScreen}>
        {say('control.fullScreen')}
      </button>
      <button type="button" onClick={onHelp} aria-expanded={isHelp} aria-label={say('control.help')}>
        ?
      </button>
    </nav>
  );
}

/** Enters or leaves full screen. Returns true, as key bindings do. */
export function toggleFullScreen(): true {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void document.documentElement.requestFullscreen().catch(() => undefined);
  return true;
}
