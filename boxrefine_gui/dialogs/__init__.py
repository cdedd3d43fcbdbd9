"""Windows of their own: export, shortcuts, about; and the one seam through which all questions are asked."""
