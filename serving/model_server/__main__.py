"""`python -m serving.model_server --model_base_path=... --model_name=souk`."""

from serving.main import main

if __name__ == "__main__":
    main()
