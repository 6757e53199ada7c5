"""A distance that a button doubles, by Streamlit."""

import streamlit as st

if "parsecs" not in st.session_state:
    st.session_state.parsecs = 10


def double() -> None:
    """Go twice as far."""
    st.session_state.parsecs *= 2


st.title("How far?")
st.button("Twice as far", on_click=double)
st.write(f"{st.session_state.parsecs} parsecs")
