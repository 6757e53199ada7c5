// The symbols of the platform's look.
import { createContext, type ReactElement, useContext } from "react";

export const IconsUrl = createContext("");

export function Icon({ name }: { name: string }): ReactElement {
  return (
    <svg className="icon" aria-hidden="true" viewBox="0 0 20 20">
      <use href={`${useContext(IconsUrl)}#${name}`} />
    </svg>
  );
}
