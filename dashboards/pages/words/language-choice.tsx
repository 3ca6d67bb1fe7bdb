import { chooseLanguage, currentLanguage, LANGUAGES, type Language, say, useLanguage } from './language.ts';

/** Lets people choose their language; `onChange` should render the page again. */
export function LanguageChoice({
  onChange,
  load = useLanguage,
}: {
  onChange: () => void;
  load?: (language: Language) => Promise<void>;
}) {
  return (
    <label class="language">
      <span class="unseen">{say('vote.language')}</span>
      <select
        value={currentLanguage()}
        onChange={async ({ currentTarget: { value } }) => {
          chooseLanguage(value as Language);
          await load(value as Language);
          onChange();
        }}
      >
        {Object.entries(LANGUAGES).map(([short, name]) => (
          <option key={short} value={short} lang={short}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
