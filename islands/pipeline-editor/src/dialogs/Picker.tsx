// A list that is searched by typing and chosen from with arrow keys and Enter.
import { type KeyboardEvent, type ReactElement, useId, useMemo, useRef, useState } from "react";

export interface Option {
  key: string;
  title: string;
  hint: string;
  tone: string;
}

export function Picker({ label, options, empty, onPick }: { label: string; options: readonly Option[]; empty: string; onPick: (key: string) => void }): ReactElement {
  const id = useId();
  const list = useRef<HTMLUListElement>(null);
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const found = useMemo(() => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    return options.filter((option) => words.every((word) => `${option.title} ${option.hint}`.toLowerCase().includes(word))).slice(0, 200);
  }, [options, query]);
  const here = Math.min(at, Math.max(found.length - 1, 0));
  const go = (place: number): void => {
    setAt(place);
    list.current?.children[place]?.scrollIntoView({ block: "nearest" });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown") go(Math.min(here + 1, found.length - 1));
    else if (event.key === "ArrowUp") go(Math.max(here - 1, 0));
    else if (event.key === "Enter" && found[here]) onPick(found[here].key);
    else return;
    event.preventDefault();
  };
  return (
    <div className="picker">
      <div className="field">
        <label htmlFor={id}>{label}</label>
        <input
          id={id}
          data-focus
          role="combobox"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={found[here] ? `${id}-${here}` : undefined}
          autoComplete="off"
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <ul ref={list} role="listbox" id={`${id}-list`} aria-label={label} tabIndex={-1}>
        {found.map((option, place) => (
          <li key={option.key} id={`${id}-${place}`} role="option" aria-selected={place === here} data-tone={option.tone} onClick={() => onPick(option.key)} onMouseMove={() => setAt(place)}>
            <span>{option.title}</span>
            <small>{option.hint}</small>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="soft" role="status">{empty}</p>}
    </div>
  );
}
